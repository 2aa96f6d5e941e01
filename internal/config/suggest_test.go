package config

import (
	"reflect"
	"testing"
)

func TestNearest(t *testing.T) {
	keys := keysOf(reflect.TypeFor[Device]())
	tests := []struct{ written, meant string }{
		{"adress", "address"},
		{"MTU", "mtu"},
		{"mut", "mtu"}, // neighbours exchanged
		{"peer-mac", "peer_mac"},
		{"addresses", "address"},
		{"off", "offload"},
		{"tx_queue_len", "txqueuelen"},
		{"type", "kind"},
		{"iface", ""}, // device is no key of a device
		{"colour", ""},
		{"x", ""},
		{"", ""},
	}
	for _, tt := range tests {
		if got := Nearest(tt.written, keys); got != tt.meant {
			t.Errorf("Nearest(%q) = %q, want %q", tt.written, got, tt.meant)
		}
	}
}
