package keeper_test

import (
	"fmt"

	"github.com/tunscript/tunscript/internal/keeper"
)

// What runs that were killed have left on this host is undone.
func ExampleLeftovers() {
	_ = func() error {
		list, err := keeper.Leftovers()
		if err != nil {
			return err
		}
		for _, l := range list {
			if !l.Here {
				continue // in another network namespace
			}
			for _, c := range l.Changes {
				fmt.Println(c) // ip link set tun0 mtu 1500
			}
			if err := l.Undo(); err != nil {
				return err
			}
		}
		return nil
	}
}
