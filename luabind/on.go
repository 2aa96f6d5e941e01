package luabind

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/filter"
	"github.com/tunscript/tunscript/engine/packet"
)

// A handler is one on(...).
type handler struct {
	fn    *lua.LFunction
	line  int  // of the script, where on was called
	keeps bool // fn may keep its packet
}

// on is on(fn), on(filter, fn) and on{ filter, run = fn, ... }.
func (in *instance) on(L *lua.LState) int {
	h := &handler{line: in.line(L)}
	config := engine.Handler{Place: fmt.Sprintf("%s:%d", in.script.name, h.line)}
	config.Name = config.Place
	err := in.onArgs(L, h, &config)
	if err == nil && h.fn == nil {
		err = errors.New(`on: a handler wants a function: on("udp", function(p) ... end)`)
	}
	if err != nil {
		return in.state.Raise(L, err)
	}
	h.keeps = h.fn.IsG || in.script.opt.Trusted || keeps(h.fn.Proto)
	config.Run = func(p *packet.Packet) engine.Verdict { return in.handle(h, p) }
	if run := in.direct(h.fn); run != nil {
		config.Run = in.unlessBroken(run)
	}
	if in.handlers >= maxHandlers {
		return in.state.Raise(L, &limitError{"handlers", fmt.Sprintf("on: %d handlers stand, and more may not: cancel some, or look at the packet in one", maxHandlers)})
	}
	in.state.Work(filterWork + len(config.Filter)*bytesAStep)
	in.workOnHandlers()
	handle, err := in.scope.Handle(config)
	if err != nil {
		if ce, ok := errors.AsType[*engine.ConfigError](err); ok {
			err = ce.Err
		}
		if se, ok := errors.AsType[*filter.SyntaxError](err); ok {
			err = se // says itself that it is the filter
		}
		return in.state.Raise(L, fmt.Errorf("on: %w", err))
	}
	in.held[handle] = heldCall{fn: h.fn}
	in.handlers++
	return in.pushHandle(L, func() {
		handle.Cancel()
		if _, ok := in.held[handle]; ok {
			delete(in.held, handle)
			in.handlers--
			in.workOnHandlers()
		}
	})
}

const (
	// maxHandlers bounds the handlers of a script: each is in an index that is made anew
	// when one comes or goes.
	maxHandlers = 4000
	// filterWork is what it costs to compile a filter besides its length, in the bytes of
	// State.Work.
	filterWork = 400 * bytesAStep
	// indexWork is what each handler costs when the index is made anew.
	indexWork = 40 * bytesAStep
)

// workOnHandlers charges for the index over the handlers, but while the script loads,
// when it is made once.
func (in *instance) workOnHandlers() {
	if !in.loading {
		in.state.Work(in.handlers * indexWork)
	}
}

func (in *instance) onArgs(L *lua.LState, h *handler, config *engine.Handler) error {
	switch v := L.Get(1).(type) {
	case *lua.LFunction:
		h.fn = v
		return tooMany(L, "on", 1)
	case lua.LString:
		config.Filter = string(v)
		fn, ok := L.Get(2).(*lua.LFunction)
		if !ok {
			return fmt.Errorf("on: after the filter comes a function, got %s", describe(L.Get(2)))
		}
		h.fn = fn
		return tooMany(L, "on", 2)
	case *lua.LTable:
		if err := tooMany(L, "on", 1); err != nil {
			return err
		}
		return onTable(v, h, config)
	}
	return fmt.Errorf("on: want a filter and a function, or a table, got %s", describe(L.Get(1)))
}

// optionName is a key of on{...} for a message.
func optionName(key lua.LValue) string {
	if name, ok := key.(lua.LString); ok {
		return fmt.Sprintf("%q", clip(string(name)))
	}
	return "[" + key.String() + "]"
}

func tooMany(L *lua.LState, name string, most int) error {
	if n := L.GetTop(); n > most {
		return fmt.Errorf("%s: %d arguments, want %d: options go into one table, as in on{ \"udp\", prio = 10, run = fn }", name, n, most)
	}
	return nil
}

// An onOption is an option of on{...}.
type onOption struct {
	typ string
	doc string
	set func(v lua.LValue, h *handler, config *engine.Handler) error
}

// onOptions are all of them.
var onOptions = map[string]onOption{
	"device": {"device.name", "only packets that came in here", func(v lua.LValue, h *handler, config *engine.Handler) error {
		return text(v, &config.Device)
	}},
	"name": {"string", "for log, counters and captures", func(v lua.LValue, h *handler, config *engine.Handler) error {
		return text(v, &config.Name)
	}},
	"prio": {"integer", "-100 to 100, lowest first; 0 if not given", func(v lua.LValue, h *handler, config *engine.Handler) error {
		n, ok := v.(lua.LNumber)
		if !ok || float64(n) != float64(int(n)) || n < engine.MinPrio || n > engine.MaxPrio {
			return fmt.Errorf("want a whole number %d..%d, got %s", engine.MinPrio, engine.MaxPrio, describe(v))
		}
		config.Prio = int(n)
		return nil
	}},
	"on_error": {`"drop"|"pass"|"stop"`, "what becomes of a packet whose handler fails", func(v lua.LValue, h *handler, config *engine.Handler) error {
		word, _ := v.(lua.LString)
		on, ok := onErrorWords[string(word)]
		if !ok {
			return fmt.Errorf("want \"drop\", \"pass\" or \"stop\", got %s%s", describe(v), didYouMean(string(word), onErrorWords))
		}
		config.OnError = on
		return nil
	}},
	"disable_after": {"integer", "failures within 64 packets that switch it off, 1 to 64; 0: none do", func(v lua.LValue, h *handler, config *engine.Handler) error {
		n, ok := v.(lua.LNumber)
		if !ok || float64(n) != float64(int(n)) || n < 0 || n > 64 {
			return fmt.Errorf("want a whole number 0..64, got %s", describe(v))
		}
		config.DisableAfter = int(n)
		if n == 0 {
			config.DisableAfter = -1
		}
		return nil
	}},
	"run": {"handler", "the handler", func(v lua.LValue, h *handler, config *engine.Handler) error {
		fn, ok := v.(*lua.LFunction)
		if !ok {
			return fmt.Errorf("want a function, got %s", describe(v))
		}
		h.fn = fn
		return nil
	}},
	"defrag": {"boolean", "fragments come joined, to this handler and those after it",
		flagOption(func(config *engine.Handler, on bool) { config.Defrag = on })},
	"super": {"boolean", "super-packets come whole",
		flagOption(func(config *engine.Handler, on bool) { config.Super = on })},
}

func flagOption(set func(config *engine.Handler, on bool)) func(lua.LValue, *handler, *engine.Handler) error {
	return func(v lua.LValue, h *handler, config *engine.Handler) error {
		b, ok := v.(lua.LBool)
		if !ok {
			return fmt.Errorf("want true or false, got %s", describe(v))
		}
		set(config, bool(b))
		return nil
	}
}

var onErrorWords = map[string]engine.OnError{
	"drop": engine.OnErrorDrop, "pass": engine.OnErrorPass, "stop": engine.OnErrorStop,
}

func text(v lua.LValue, to *string) error {
	s, ok := v.(lua.LString)
	if !ok || s == "" {
		return fmt.Errorf("want a name, got %s", describe(v))
	}
	*to = string(s)
	return nil
}

func onTable(t *lua.LTable, h *handler, config *engine.Handler) (err error) {
	t.ForEach(func(key, v lua.LValue) {
		if err != nil {
			return
		}
		if key == lua.LValue(lua.LNumber(1)) {
			filter, ok := v.(lua.LString)
			if !ok {
				err = fmt.Errorf("on: the filter is a string, got %s", describe(v))
			}
			config.Filter = string(filter)
			return
		}
		name, _ := key.(lua.LString)
		option, ok := onOptions[string(name)]
		if !ok {
			err = fmt.Errorf("on: there is no option %v%s (there are %s)", optionName(key), didYouMean(string(name), onOptions),
				strings.Join(slices.Sorted(maps.Keys(onOptions)), ", "))
			return
		}
		if e := option.set(v, h, config); e != nil {
			err = fmt.Errorf("on: %s: %w", name, e)
		}
	})
	return err
}

// line is the line of the script that called the running Go function.
func (in *instance) line(L *lua.LState) int {
	dbg, ok := L.GetStack(1)
	if !ok {
		return 0
	}
	if _, err := L.GetInfo("l", dbg, lua.LNil); err != nil {
		return 0
	}
	return dbg.CurrentLine
}
