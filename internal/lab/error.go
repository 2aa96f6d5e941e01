package lab

import "errors"

// ErrPrivilege is in every error that says that a right, or a part of the kernel, is
// missing: what no change of arguments mends.
var ErrPrivilege = errors.New("privilege missing")

// PrivilegeError says what is missing and the one command that mends it.
// errors.Is(err, ErrPrivilege) holds for it.
type PrivilegeError struct {
	What string // "user namespaces are switched off (user.max_user_namespaces is 0)"
	Fix  string // "sudo sysctl -w user.max_user_namespaces=15000"
	Err  error  // what the kernel said, or nil
}

// Error is one line: what is missing, then how to mend it.
func (e *PrivilegeError) Error() string { return e.What + ": " + e.Fix }

// Is makes every PrivilegeError an ErrPrivilege.
func (e *PrivilegeError) Is(target error) bool { return target == ErrPrivilege }

// Unwrap is what the kernel said.
func (e *PrivilegeError) Unwrap() error { return e.Err }
