//go:build !linux

package tundev

// Create fails: only Linux has these devices.
func Create(p Persistent) (name string, err error) { return "", missing("create", p.Name) }

// Delete fails: only Linux has these devices.
func Delete(name string) error { return missing("delete", name) }
