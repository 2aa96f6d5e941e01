package engine

// Check starts every program as Run would, detached, and takes it back: what it
// returns is what Run would refuse to start with. Nothing takes effect and no
// device is read. It is for an engine that has not run.
func (e *Engine) Check() error {
	if err := e.take(); err != nil {
		return err
	}
	defer e.release()
	e.mu.Lock()
	state := e.state
	e.mu.Unlock()
	switch state {
	case made:
	case stopped:
		return ErrStopped
	default:
		return ErrRunning
	}
	for _, w := range e.workers { // chance is that of the run to come, and is not used up
		defer w.generation.Store(w.generation.Load())
	}
	for _, pc := range e.programs {
		scopes, err := e.prepareAll(pc)
		if err != nil {
			return err
		}
		closeScopes(scopes)
	}
	return nil
}
