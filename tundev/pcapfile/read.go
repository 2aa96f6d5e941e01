package pcapfile

import "os"

// A Reader reads a capture packet by packet, in bounded memory.
type Reader struct {
	file *os.File
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
// the file is damaged.
func (r *Reader) Next() (Record, error) { return r.r.next() }

// Note is the comment about the whole file, "" if there is none.
func (r *Reader) Note() string {
	if r.r.ng == nil {
		return ""
	}
	return r.r.ng.note
}

// Close closes the file.
func (r *Reader) Close() error { return r.file.Close() }
