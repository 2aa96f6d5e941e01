package engine

import (
	"sync"
	"sync/atomic"
)

// maxPosts bounds the posts that wait for one worker.
const maxPosts = 4096

// mail is what other goroutines have for a worker: posts, in a bounded queue,
// and exchanges, stops and the like, in a list that never refuses, for a lost one
// would be somebody who waits for ever.
type mail struct {
	waiting atomic.Bool // something is in one of the lists

	mu     sync.Mutex
	posts  []func()
	urgent []func()
	closed bool
}

func (m *mail) post(fn func(), wake func()) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrScopeClosed
	}
	if len(m.posts) >= maxPosts {
		return ErrFull
	}
	m.posts = append(m.posts, fn)
	m.waiting.Store(true)
	wake()
	return nil
}

// send puts fn on the list that never refuses; false after close.
func (m *mail) send(fn func(), wake func()) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false
	}
	m.urgent = append(m.urgent, fn)
	m.waiting.Store(true)
	wake()
	return true
}

// take empties both lists.
func (m *mail) take() (urgent, posts []func()) {
	if !m.waiting.Load() {
		return nil, nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.waiting.Store(false)
	urgent, posts = m.urgent, m.posts
	m.urgent, m.posts = nil, nil
	return urgent, posts
}

// close refuses everything from now on and returns what was urgent.
func (m *mail) close() []func() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	urgent := m.urgent
	m.urgent, m.posts = nil, nil
	return urgent
}
