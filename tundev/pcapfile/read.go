package pcapfile

import "os"

// A Reader reads a capture packet by packet, in bounded memory. It belongs to one
// goroutine. The zero Reader is a closed one.
type Reader struct {
	file *os.File // nil: closed
	r    *reader
}

// OpenReader opens a capture; "-" is standard input. Its errors are Open's.
func OpenReader(path string, sel Select) (*Reader, error) {
	f, err := openInput(path)
	if err != nil {
		return nil, err
	}
	r, err := newReader(f, path, sel)
	if err != nil {
		f.Close()
		return nil, err
	}
	return &Reader{f, r}, nil
}

// Next is the next packet that was selected; io.EOF after the last, and an *Error where
// the file is damaged; after Close one that wraps os.ErrClosed.
func (r *Reader) Next() (Record, error) {
	if r.file == nil {
		return Record{}, os.ErrClosed
	}
	return r.r.next()
}

// Note is the comment about the whole file, "" if there is none.
func (r *Reader) Note() string {
	if r.r == nil || r.r.ng == nil {
		return ""
	}
	return r.r.ng.note
}

// Close closes the file. Idempotent.
func (r *Reader) Close() error {
	f := r.file
	if r.file = nil; f == nil {
		return nil
	}
	return f.Close()
}
