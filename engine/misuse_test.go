package engine_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/flow"
	"github.com/tunscript/tunscript/engine/packet"
)

// never runs f and fails the test if it panics: what is called with nil, zero or too late
// is an error, or nothing.
func never(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		if r := recover(); r != nil {
			t.Errorf("%s panics: %v", what, r)
		}
	}()
	f()
}

// refused wants an error, and no panic.
func refused(t *testing.T, what string, f func() error) {
	t.Helper()
	never(t, what, func() {
		if err := f(); err == nil {
			t.Errorf("%s: no error", what)
		}
	})
}

// onScope is every method of a Scope, with nil and zero where that can be said. In a scope
// that has ended all those that return an error must do so.
func onScope(t *testing.T, when string, s *engine.Scope, ended bool) {
	t.Helper()
	p := udp(t, 7, "x")
	calls := map[string]func() error{
		"Handle zero":    func() error { _, err := s.Handle(engine.Handler{}); return err },
		"Await zero":     func() error { _, err := s.Await(engine.Await{}); return err },
		"After nil":      func() error { _, err := s.After(0, nil); return err },
		"AfterLast nil":  func() error { _, err := s.AfterLast(0, nil); return err },
		"Every 0":        func() error { _, err := s.Every(0, func() {}); return err },
		"Every nil":      func() error { _, err := s.Every(1, nil); return err },
		"Call nil":       func() error { return s.Call("", nil, nil) },
		"Post nil":       func() error { return s.Post(nil) },
		"Send nil":       func() error { return s.Send(nil) },
		"SetOut nil":     func() error { return s.SetOut(nil, "tun0") },
		"SetOut nowhere": func() error { return s.SetOut(p, "nowhere") },
		"SetHome":        func() error { return s.SetHome("nowhere") },
		"Forward":        func() error { return s.Forward("nowhere", "tun0") },
		"Load zero":      func() error { return s.Load(engine.ProgramConfig{}, nil) },
		"Impair":         func() error { _, err := s.Impair(engine.ImpairConfig{Devices: []string{"nowhere"}}); return err },
	}
	if ended {
		calls["Handle"] = func() error {
			_, err := s.Handle(engine.Handler{Run: func(*packet.Packet) engine.Verdict { return engine.Pass() }})
			return err
		}
		calls["Await"] = func() error { _, err := s.Await(engine.Await{Run: func(*packet.Packet) {}}); return err }
		calls["After"] = func() error { _, err := s.After(1, func() {}); return err }
		calls["Every"] = func() error { _, err := s.Every(1, func() {}); return err }
		calls["Post"] = func() error { return s.Post(func() {}) }
		calls["Send"] = func() error { return s.Send(p) }
		calls["Call"] = func() error {
			return s.Call("f", func(context.Context) any { return nil }, func(any) {})
		}
	}
	for name, f := range calls {
		refused(t, when+": "+name, f)
	}
	for name, f := range map[string]func(){
		"Started nil": func() { s.Started(nil) }, "OnEnd nil": func() { s.OnEnd(nil) },
		"OnStop nil": func() { s.OnStop(nil) }, "OnReload nil": func() { s.OnReload(nil) },
		"Fail nil": func() { s.Fail(nil) }, "Count": func() { s.Count("") },
		"Flow nil": func() { s.Flow(nil) }, "Flow": func() { s.Flow(p) },
		"Shared": func() { s.Shared("") }, "Device": func() { s.Device("") }, "Devices": func() { s.Devices() },
		"Way": func() { s.Way("") }, "Home": func() { s.Home() }, "Pool": func() { s.Pool() }, "Turn": func() { s.Turn() },
		"Rand": func() { s.Rand() }, "Now": func() { s.Now() }, "Name": func() { s.Name() }, "Worker": func() { s.Worker() },
	} {
		never(t, when+": "+name, f)
	}
	if ended {
		never(t, when+": Stop", func() { s.Stop(1) })
		never(t, when+": Restart", func() { s.Restart() })
	}
}

func TestMisuseOfAScope(t *testing.T) {
	var scope *engine.Scope
	b := virtual(t, engine.ProgramFunc("p", func(s *engine.Scope) error {
		scope = s
		onScope(t, "starting", s, false)
		s.Started(func() { onScope(t, "started", s, false) })
		return nil
	}))
	b.step(0)
	b.Close()
	onScope(t, "ended", scope, true)
}

// What a call returns is nil beside an error, and may be used so.
func TestMisuseOfWhatIsReturned(t *testing.T) {
	for name, f := range map[string]func(){
		"a nil Timer":       func() { (*engine.Timer)(nil).Cancel() },
		"a zero Timer":      func() { new(engine.Timer).Cancel() },
		"a nil Handle":      func() { (*engine.Handle)(nil).Cancel() },
		"a zero Handle":     func() { new(engine.Handle).Cancel() },
		"a nil Waiting":     func() { (*engine.Waiting)(nil).Cancel() },
		"a zero Waiting":    func() { new(engine.Waiting).Cancel() },
		"a nil Impairment":  func() { (*engine.Impairment)(nil).Cancel() },
		"a zero Impairment": func() { new(engine.Impairment).Cancel() },
		"a zero Flow": func() {
			var f engine.Flow
			f.Dir()
			f.Live()
			f.Same(f)
			f.Value()
			if f.SetValue(1) == nil || f.Bypass(flow.Pass) == nil || f.Rewrite(flow.Rewrite{}) == nil {
				t.Error("no flow takes a value or a rule")
			}
		},
		"a nil verdict": func() { engine.Replace(nil, nil) },
		"a nil failure": func() { engine.Fail(nil) },
	} {
		never(t, name, f)
	}
}

// Every method of an engine, before it runs, closed, and closed again; from many
// goroutines at once.
func TestMisuseOfAnEngine(t *testing.T) {
	p := engine.ProgramFunc("p", func(*engine.Scope) error { return nil })
	use := func(b *bench, closed bool) {
		for name, f := range map[string]func() error{
			"Swap nil nil": func() error { return b.Swap(nil, nil) },
			"Add nil":      func() error { return b.Add(nil) },
			"Remove nil":   func() error { return b.Remove(nil) },
			"Remove other": func() error { return b.Remove(p) },
			//lint:ignore SA1012 that is the test
			"Run nil":      func() error { return b.Run(nil) },
			"Advance":      func() error { return b.Advance(-1) },
			"Do nil":       func() error { return b.Do(1, p, nil) },
			"Do no worker": func() error { return b.Do(99, p, func(*engine.Scope) {}) },
		} {
			refused(t, fmt.Sprintf("%s, closed %t", name, closed), f)
		}
		never(t, "Observe nil", func() { stop := b.Observe(nil, nil); stop(); stop() })
		never(t, "Stats", func() { b.Stats() })
		never(t, "Unrule nil", func() { b.Unrule(nil) })
		never(t, "Flows", func() {
			for range b.Flows() {
				break
			}
		})
		never(t, "Profile", func() { stop := b.Profile(); stop(); stop() })
		never(t, "Check", func() { b.Check() })
	}
	b := virtual(t)
	use(b, false)
	for range 2 {
		if err := b.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	use(b, true)
	refused(t, "Run of a closed one", func() error { return b.Run(t.Context()) })
	refused(t, "Advance of a closed one", func() error { return b.Advance(time.Second) })

	b = virtual(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { use(b, false) })
	}
	within(t, 20*time.Second, "all of them at once", all.Wait)
	for _, c := range []engine.Config{
		{Devices: make([]engine.DeviceConfig, 1)}, {Programs: make([]engine.ProgramConfig, 1)}, {Workers: -1}, {Workers: 1 << 20},
	} {
		refused(t, "New", func() error { _, err := engine.New(c); return err })
	}
}
