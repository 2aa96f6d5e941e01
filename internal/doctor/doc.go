// Package doctor finds out why a TUN or TAP device does not answer, says it in words,
// names the command that mends it, and does what the command would.
//
// It looks only: at links, addresses and ways through package tundev/host, at /proc, and
// at the journals of package keeper. It sends no packet and knows of scripts only the
// process that has the device open. Nothing is changed but by [Finding.Repair].
//
// A check is a function of a view, which is the host and one device as they are at one
// moment; it has a file of its own. Checks do not know one another. What hides behind
// another fault, as routes do while a device is down, is found when that is mended: so
// who repairs examines again.
package doctor
