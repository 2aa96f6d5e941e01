package config

import "net"

// Default returns what an empty file means.
func Default() *Config {
	return &Config{
		Engine: Engine{Workers: 1, OnError: OnErrorDrop},
		Limits: Limits{
			Instructions:     500_000,
			LoadInstructions: 50_000_000,
			Memory:           64 * MiB,
			String:           1 * MiB,
			Coroutines:       64,
			Tasks:            1000,
			Timers:           10_000,
			Held:             1000,
			Shared:           100_000,
			Flows:            65536,
		},
	}
}

// DefaultDevice returns a [[device]] in which nothing is written. It lacks a
// name.
func DefaultDevice() Device {
	return Device{
		Kind:    TUN,
		PeerMAC: net.HardwareAddr{2, 0, 0, 0, 0, 2},
		MTU:     1500,
		Offload: OffloadAuto,
		OnLost:  OnLostWait,
		Link:    LinkIP,
	}
}

// DefaultScript returns a [[script]] in which nothing is written. It lacks a
// path.
func DefaultScript() Script {
	return Script{DisableAfter: 8}
}
