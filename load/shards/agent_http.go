package shards

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"agstest/internal/failure"
)

// maxRequest is the size of a request's body, far above any message.
const maxRequest = 64 << 10

// handler serves the control interface. It answers nothing to a caller without the token of the run.
func (a *Agent) handler(s *standing) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+PathState,
		func(w http.ResponseWriter, r *http.Request) { answer(w, http.StatusOK, s.status()) })
	mux.HandleFunc("GET "+PathClock, func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, Clock{Now: a.clock().UnixNano()})
	})
	mux.HandleFunc("GET "+PathProgress,
		func(w http.ResponseWriter, r *http.Request) { answer(w, http.StatusOK, s.progress()) })
	mux.HandleFunc("POST "+PathPrepare, func(w http.ResponseWriter, r *http.Request) {
		var p Prepare
		if said(w, r, &p) {
			s.answer(w, s.toPrepare(p))
		}
	})
	mux.HandleFunc("POST "+PathStart, func(w http.ResponseWriter, r *http.Request) {
		var p Start
		if said(w, r, &p) {
			s.answer(w, s.toStart(p.At))
		}
	})
	mux.HandleFunc("POST "+PathAbort, func(w http.ResponseWriter, r *http.Request) {
		s.stop(errAborted)
		s.answer(w, nil)
	})
	mux.HandleFunc("POST "+PathAck, func(w http.ResponseWriter, r *http.Request) {
		var p Ack
		if !said(w, r, &p) {
			return
		}
		if err := s.toAcknowledge(p.SHA256); err != nil {
			s.answer(w, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET "+PathResult, func(w http.ResponseWriter, r *http.Request) { a.serveResult(w, r, s) })
	want := sha256.Sum256(append([]byte("Bearer "), a.Token...))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer failure.Guard()
		got := sha256.Sum256([]byte(r.Header.Get("Authorization")))
		if len(a.Token) == 0 || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "the token of the run is needed", http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// said reads the JSON of a request; where it cannot, it has answered.
func said(w http.ResponseWriter, r *http.Request, into any) bool {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest))
	if err := decoder.Decode(into); err != nil {
		http.Error(w, "the body is no JSON of this message", http.StatusBadRequest)
		return false
	}
	return true
}

// answer gives where the agent stands; with an error, which is the sentence of a request that does not fit, as a
// conflict.
func (s *standing) answer(w http.ResponseWriter, err error) {
	now, code := s.status(), http.StatusOK
	var c conflict
	if errors.As(err, &c) {
		now.Error, code = string(c), http.StatusConflict
	}
	answer(w, code, now)
}

func answer(w http.ResponseWriter, code int, message any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(message)
}

// serveResult serves the packed result, whole or in ranges (RFC 9110 section 14).
func (a *Agent) serveResult(w http.ResponseWriter, r *http.Request, s *standing) {
	now := s.status()
	if now.Result == nil {
		now.Error = strings.TrimSpace("this shard has no result: it is " + string(now.Phase) + ". " + now.Error)
		answer(w, http.StatusConflict, now)
		return
	}
	file, err := os.Open(filepath.Join(a.Folder, resultFile))
	if err != nil {
		http.Error(w, "the result cannot be read", http.StatusInternalServerError)
		return
	}
	defer file.Close()
	w.Header().Set("Content-Type", "application/x-tar")
	w.Header().Set(headerSHA256, now.Result.SHA256)
	w.Header().Set("ETag", `"`+now.Result.SHA256+`"`)
	http.ServeContent(w, r, "", time.Time{}, io.NewSectionReader(file, 0, now.Result.Bytes))
}
