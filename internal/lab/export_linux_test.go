package lab

// SetSysctls is setSysctls for the tests of it in a namespace.
func SetSysctls() error { return setSysctls("/proc/sys") }
