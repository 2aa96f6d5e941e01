package luabind

import (
	"errors"
	"fmt"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine/packet"
)

// A packetRef is what a packet userdata of Lua holds.
type packetRef struct {
	p      *packet.Packet // nil once it is gone
	gone   error          // why
	owned  bool           // the script's own, not borrowed from the engine
	pooled bool           // used again when the handler has returned; so are its answers
	parts  []part         // of one that is yet to be built
	ud     *lua.LUserData
	layers [maxKinds]*lua.LUserData // made when first asked for
}

// Size is what the packet takes besides the userdata: its buffer.
func (ref *packetRef) Size() int {
	if ref.p == nil || !ref.owned || ref.pooled {
		return 0
	}
	return max(2048, ref.p.Len())
}

// A layerRef is what a layer userdata of Lua holds.
type layerRef struct {
	of   *packetRef
	kind *kind
}

var (
	errReturned = errors.New("the packet is gone, as its handler has returned: use p:copy() to keep one")
	errAsked    = errors.New("the packet is gone, as the pattern's function has returned: use p:copy() to keep one")
	errGiven    = errors.New("the packet was given away as a verdict: use p:copy() to keep one")
)

// newRef makes the userdata of a packet of the script's own.
func (in *instance) newRef(p *packet.Packet) *packetRef {
	ref := &packetRef{p: p, owned: true}
	ref.ud = &lua.LUserData{Value: ref, Metatable: in.kinds.packet.meta}
	return ref
}

// newPooledRef makes the userdata of one packet after another.
func (in *instance) newPooledRef() *packetRef {
	ref := in.newRef(nil)
	ref.pooled = true
	ref.ud.Metatable = in.ownMeta(ref.ud, in.kinds.packet)
	return ref
}

// borrow lends a handler its packet, until the handler returns.
func (in *instance) borrow(h *handler, p *packet.Packet) *packetRef {
	ref := in.hand
	if h.keeps {
		ref = in.newRef(nil)
		ref.owned, ref.gone = false, errReturned
	}
	ref.p = p
	return ref
}

// pushAnswer gives Lua a packet that was made of the one in argument 1. If that one's
// userdata is used again, so is its answer's: only the handler's own code can have
// asked, and that code keeps nothing (escape.go).
func (in *instance) pushAnswer(L *lua.LState, a *packet.Packet) int {
	of, _ := L.Get(1).(*lua.LUserData).Value.(*packetRef)
	if !of.pooled {
		L.Push(in.newRef(a).ud)
		return 1
	}
	var ref *packetRef
	if n := len(in.spare); n > 0 {
		ref = in.spare[n-1]
		in.spare = in.spare[:n-1]
	} else {
		ref = in.newPooledRef()
	}
	ref.p = a
	in.lent = append(in.lent, ref)
	L.Push(ref.ud)
	return 1
}

// recycle takes back the answers that the handler made and did not give away.
func (in *instance) recycle() {
	for i, ref := range in.lent {
		if ref.p != nil {
			in.scope.Pool().Put(ref.p)
			ref.p = nil
		}
		ref.gone = errGiven
		if len(in.spare) < maxSpare {
			in.spare = append(in.spare, ref)
		}
		in.lent[i] = nil
	}
	in.lent = in.lent[:0]
}

// maxSpare bounds the userdata kept: a handler that answers in a loop may have had
// thousands.
const maxSpare = 64

// settle makes sure that ref has a packet, building it if it has only parts.
func (in *instance) settle(ref *packetRef) error {
	if ref.p != nil {
		return nil
	}
	if ref.parts == nil {
		return ref.gone
	}
	p, err := in.assemble(ref.parts)
	if err != nil {
		return err
	}
	ref.p, ref.parts = p, nil
	return nil
}

// refOf is the packet that a verdict names.
func (in *instance) refOf(v lua.LValue) (*packetRef, error) {
	ud, ok := v.(*lua.LUserData)
	if !ok {
		return nil, fmt.Errorf("is %s, not a packet", describe(v))
	}
	switch ref := ud.Value.(type) {
	case *packetRef:
		return ref, in.settle(ref)
	case *layerRef:
		return nil, fmt.Errorf("is a layer (%s), not a packet: return the packet whose it is", ref.kind.name)
	}
	return nil, errors.New("is a handle, not a packet")
}

// give takes the packet of ref for a verdict.
func (in *instance) give(ref *packetRef) *packet.Packet {
	p := ref.p
	if ref.owned {
		ref.p, ref.gone = nil, errGiven
	}
	return p
}

// layerOf is the userdata of a layer of ref.
func (in *instance) layerOf(ref *packetRef, k *kind) *lua.LUserData {
	ud := ref.layers[k.index]
	if ud == nil {
		ud = &lua.LUserData{Value: &layerRef{ref, k}, Metatable: k.meta}
		if ref.pooled && len(k.methods) > 0 {
			ud.Metatable = in.ownMeta(ud, k)
		}
		ref.layers[k.index] = ud
	}
	return ud
}
