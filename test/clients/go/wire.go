package main

import (
	"net/http"
	"strings"
	"sync"
)

const protobuf = "application/vnd.kubernetes.protobuf"

// exchange is one request and what its answer was written in.
type exchange struct {
	method, path, query string
	sent, received      string
	status              int
}

// wire remembers the headers of every exchange, so that a check can tell which encoding was really used.
type wire struct {
	mutex     sync.Mutex
	exchanges []exchange
}

func (w *wire) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(request *http.Request) (*http.Response, error) {
		response, err := next.RoundTrip(request)
		if err == nil {
			w.mutex.Lock()
			defer w.mutex.Unlock()
			w.exchanges = append(w.exchanges, exchange{
				method: request.Method, path: request.URL.Path, query: request.URL.RawQuery,
				sent: request.Header.Get("Content-Type"), received: response.Header.Get("Content-Type"), status: response.StatusCode,
			})
		}
		return response, err
	})
}

// of returns the exchanges with paths that contain part and queries that contain query.
func (w *wire) of(method, part, query string) []exchange {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	var found []exchange
	for _, each := range w.exchanges {
		if each.method == method && strings.Contains(each.path, part) && strings.Contains(each.query, query) {
			found = append(found, each)
		}
	}
	return found
}

type roundTripper func(*http.Request) (*http.Response, error)

func (r roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return r(request) }
