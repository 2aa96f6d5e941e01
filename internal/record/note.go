// Package record makes a capture of a run into something that can be run again: the
// same scripts, over what came in, must send what was sent.
//
// A recording is the pcapng file that pcapfile.Writer writes, with interfaces,
// directions and verdicts, and a [Note] in its first block: the seed and the devices.
// Wireshark reads it like any other capture. To compare, [Recording.Devices] plays what
// came in on devices like those of the run, and a [Comparison] watches what leaves; it is
// an engine.Observer and nothing else. Files are read packet by packet, once for each
// device and direction, so a recording of any length takes no more memory than a packet.
//
// Time is virtual in the second run, and comes from the stamps of the first. Timers that
// were late there by what the machine took are on time here: what leaves is compared by
// its order on each device, not by its time.
package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
)

// A Note is what beside packets decides what a run does.
type Note struct {
	Seed    uint64    `json:"seed"`
	Start   time.Time `json:"start"`
	Devices []Device  `json:"devices"`
}

// Device is a device of the run.
type Device struct {
	Name    string         `json:"name"`
	MTU     int            `json:"mtu"`
	MAC     string         `json:"mac,omitempty"` // both only on Ethernet
	PeerMAC string         `json:"peer_mac,omitempty"`
	Address []netip.Prefix `json:"address,omitempty"`
	Peer    []netip.Addr   `json:"peer,omitempty"`
	Forward string         `json:"forward,omitempty"`
}

// head begins every note, so that another program's comment is none.
const head = "tunscript run "

// NoteOf describes the run that c will be, from now on. Its seed must not be 0.
func NoteOf(c engine.Config, start time.Time) Note {
	n := Note{Seed: c.Seed, Start: start.UTC()}
	for _, d := range c.Devices {
		info := d.Device.Info()
		dev := Device{Name: info.Name, MTU: info.MTU, Address: info.Address, Peer: info.Peer, Forward: d.Forward}
		if info.Link == packet.Ethernet {
			dev.MAC, dev.PeerMAC = info.MAC.String(), info.PeerMAC.String()
		}
		n.Devices = append(n.Devices, dev)
	}
	return n
}

// String is the note as it stands in a file.
func (n Note) String() string {
	b, err := json.Marshal(n)
	if err != nil { // addresses marshal whatever they are
		return ""
	}
	return head + string(b)
}

// ErrNoNote says that a file is a capture, and no recording of a run.
var ErrNoNote = errors.New("it is no recording of a run: make one with --record")

// parseNote is the other way.
func parseNote(s string) (n Note, err error) {
	text, ok := strings.CutPrefix(s, head)
	if !ok {
		return n, ErrNoNote
	}
	if err := json.Unmarshal([]byte(text), &n); err != nil {
		return n, fmt.Errorf("%w (%v)", ErrNoNote, err)
	}
	if n.Seed == 0 || len(n.Devices) == 0 {
		return n, ErrNoNote
	}
	return n, nil
}
