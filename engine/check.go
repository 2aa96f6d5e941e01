package engine

// Check starts every program as Run would, detached, and takes it back: what it
// returns is what Run would refuse to start with. Nothing takes effect and no
// device is read. It is for an engine that has not run.
func (e *Engine) Check() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.state != made {
		return ErrRunning
	}
	for _, pc := range e.programs {
		s, err := e.prepare(pc)
		if err != nil {
			return err
		}
		s.close()
	}
	return nil
}
