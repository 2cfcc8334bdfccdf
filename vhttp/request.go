package vhttp

import (
	"io"
	"net/http"
	"sync"
)

// heldBody is the body of a request. A transport cannot close it while the other transport may
// still have to send it.
type heldBody struct {
	io.ReadCloser
	mu       sync.Mutex
	released bool
	closed   bool
}

// hold returns a copy of a request whose body, if there is one, is a heldBody.
func hold(req *http.Request) (*http.Request, *heldBody) {
	if req.Body == nil || req.Body == http.NoBody {
		return req, nil
	}
	b := &heldBody{ReadCloser: req.Body}
	req = req.WithContext(req.Context()) // a copy
	req.Body = b
	return req, b
}

// Close closes the body, now or when it is released.
func (b *heldBody) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	if !b.released {
		return nil
	}
	return b.ReadCloser.Close()
}

// release allows the transport that sends the request to close its body.
func (b *heldBody) release() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.released = true
	if b.closed {
		_ = b.ReadCloser.Close()
	}
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}
