package labtest

import (
	"fmt"
	"os/exec"
	"testing"
)

// packages name the Debian package where it is not called as its program.
var packages = map[string]string{
	"arp":       "net-tools",
	"arping":    "iputils-arping",
	"cc":        "gcc",
	"dig":       "bind9-dnsutils",
	"ifconfig":  "net-tools",
	"ip":        "iproute2",
	"lua":       "lua5.1",
	"nc":        "netcat-openbsd",
	"nft":       "nftables",
	"nslookup":  "bind9-dnsutils",
	"nsenter":   "util-linux",
	"ping":      "iputils-ping",
	"ps":        "procps",
	"python3":   "python3-minimal",
	"script":    "bsdutils",
	"setpriv":   "util-linux",
	"ss":        "iproute2",
	"ssh":       "openssh-client",
	"sshd":      "openssh-server",
	"sysctl":    "procps",
	"tc":        "iproute2",
	"tracepath": "iputils-tracepath",
	"unshare":   "util-linux",
}

// Need skips the test unless all these programs are in $PATH. It fails where
// TUNSCRIPT_REQUIRE_TUN=1.
func Need(t testing.TB, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err == nil {
			continue
		}
		pkg, ok := packages[p]
		if !ok {
			pkg = p
		}
		skip(t, fmt.Sprintf("needs the program %s: sudo apt-get install %s", p, pkg))
	}
}
