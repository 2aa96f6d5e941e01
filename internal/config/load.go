package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxFile is the largest file that is read, in bytes.
const maxFile = 1 << 20

// Load reads a configuration file. Relative paths in it become relative to its
// folder. A mistake, in the file or in finding it, is an [Errors].
func Load(path string) (*Config, error) {
	data, err := read(path)
	if err != nil {
		return nil, Errors{unreadable(path, err)}
	}
	return parse(path, data, filepath.Dir(path))
}

// Parse reads a configuration from memory; name stands in its errors for the
// file's. Paths are left as they are written. A mistake is an [Errors].
func Parse(name string, data []byte) (*Config, error) {
	return parse(name, data, "")
}

func parse(name string, data []byte, dir string) (*Config, error) {
	text := strings.TrimPrefix(string(data), "\ufeff")
	src := newSource(name, text)
	tree, errs := src.grammar()
	if tree == nil {
		return nil, errs.sorted()
	}
	c := Default()
	c.src = src
	r := report{src: src, errs: errs, bad: map[string]bool{}}
	decode(&r, tree, c)
	c.resolve(dir)
	check(&r, c)
	if err := r.errs.sorted(); err != nil {
		return nil, err
	}
	return c, nil
}

// Check looks for the mistakes that Load looks for after reading, in a Config
// that was made or changed in Go: devices that are named and do not exist,
// addresses that cannot be, keys that do not go together. A mistake is an
// [Errors]; it has a line if its key is in the file.
func (c *Config) Check() error {
	r := report{src: c.src, bad: map[string]bool{}}
	check(&r, c)
	return r.errs.sorted()
}

// resolve makes relative paths relative to dir.
func (c *Config) resolve(dir string) {
	in := func(path *string) {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(dir, *path)
		}
	}
	if dir == "" || dir == "." {
		return
	}
	in(&c.Engine.Errors)
	for i := range c.Devices {
		d := &c.Devices[i]
		for _, path := range []*string{&d.Path, &d.Cert, &d.Key, &d.CA} {
			in(path)
		}
	}
	for i := range c.Scripts {
		in(&c.Scripts[i].Path)
	}
	if !strings.HasPrefix(c.Control.Socket, "@") { // refused by check
		in(&c.Control.Socket)
	}
}

func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		return nil, errTooLarge
	}
	return data, err
}

var errTooLarge = fmt.Errorf("larger than %s", Size(maxFile))

func unreadable(path string, err error) *Error {
	e := &Error{File: path, Message: "cannot be read: " + err.Error(), Err: err}
	if pe, ok := errors.AsType[*fs.PathError](err); ok { // the path is named already
		e.Message = "cannot be read: " + pe.Err.Error()
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.Message = "no such file"
		e.Suggestion = "start from config.toml.example, or name another file with -c"
	case errors.Is(err, fs.ErrPermission):
		e.Suggestion = "its owner or chmod can let you read it"
	case errors.Is(err, errTooLarge):
		e.Message = "is " + err.Error()
		e.Suggestion = "this is hardly a configuration"
	default:
		e.Suggestion = "name a TOML file with -c"
	}
	return e
}
