package doctor_test

import (
	"fmt"
	"net/netip"

	"github.com/tunscript/tunscript/internal/doctor"
)

// What is wrong with tun0, and what mends it.
func Example() {
	found, err := doctor.Examine(doctor.Question{Device: "tun0", Ping: netip.MustParseAddr("192.0.2.2")})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range found {
		fmt.Println(f.Problem, f.Fix) // it is down: ... [ip link set tun0 up]
	}
}
