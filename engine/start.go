package engine

// startAll starts every program in every worker, all or none, and lets them take effect.
func (e *Engine) startAll() error {
	for _, w := range e.workers {
		w.refresh()
	}
	all := make([][]*Scope, len(e.workers))
	for _, pc := range e.programs { // changed by who has the turn only
		scopes, err := e.prepareAll(pc)
		if err != nil {
			for _, scopes := range all {
				closeScopes(scopes)
			}
			return err
		}
		for i, s := range scopes {
			all[i] = append(all[i], s)
		}
	}
	for i, w := range e.workers {
		w.scopes = all[i]
		w.refresh()
		w.impair(w.impairments...)
		for _, s := range w.scopes {
			s.attach()
		}
		w.rebuild()
	}
	for _, w := range e.workers {
		for _, s := range w.scopes {
			s.start()
		}
		w.flush()
	}
	return nil
}

// prepareAll starts a program in a scope of each worker, all or none.
func (e *Engine) prepareAll(pc ProgramConfig) ([]*Scope, error) {
	var scopes []*Scope
	for _, w := range e.workers {
		s, err := w.prepare(pc)
		if err != nil {
			closeScopes(scopes)
			return nil, err
		}
		scopes = append(scopes, s)
	}
	return scopes, nil
}

// closeScopes takes back programs that never took part.
func closeScopes(scopes []*Scope) {
	for _, s := range scopes {
		s.close()
	}
}

// prepare starts a program in a scope that takes no part yet.
func (w *worker) prepare(pc ProgramConfig) (*Scope, error) {
	var devices []int
	for _, name := range pc.Devices {
		devices = append(devices, w.e.deviceIndex(name))
	}
	s := newScope(w, pc, devices, w.generation.Add(1))
	if err := pc.Program.Start(s); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}
