package shards

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A transfer that breaks goes on from the break, and damaged data is fetched again.
func TestResultsSurviveBrokenTransfers(t *testing.T) {
	for name, spoil := range map[string]func(w http.ResponseWriter, r *http.Request, attempt int32, whole []byte) bool{
		"cut again and again": func(w http.ResponseWriter, r *http.Request, attempt int32, whole []byte) bool {
			if attempt > 4 {
				assert.NotEmpty(t, r.Header.Get("Range"))
				return false
			}
			cut := &cutWriter{ResponseWriter: w, left: 700}
			http.ServeContent(cut, r, "", time.Time{}, strings.NewReader(string(whole)))
			panic(http.ErrAbortHandler)
		},
		"damaged": func(w http.ResponseWriter, r *http.Request, attempt int32, whole []byte) bool {
			if attempt > 2 {
				return false
			}
			whole[100] ^= 1
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(whole)))
			return true
		},
		"too much": func(w http.ResponseWriter, r *http.Request, attempt int32, whole []byte) bool {
			if attempt > 2 {
				return false
			}
			_, _ = w.Write(append(whole, whole...))
			return true
		},
		"stalled": func(w http.ResponseWriter, r *http.Request, attempt int32, whole []byte) bool {
			if attempt > 1 {
				return false
			}
			w.Header().Set("Content-Length", fmt.Sprint(len(whole)))
			_, _ = w.Write(whole[:500])
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			return true
		},
		"slow": func(w http.ResponseWriter, r *http.Request, attempt int32, whole []byte) bool {
			w.Header().Set("Content-Length", fmt.Sprint(len(whole)))
			for part := range slices.Chunk(whole, len(whole)/20) {
				_, _ = w.Write(part)
				w.(http.Flusher).Flush()
				time.Sleep(stalledAfter - time.Second)
			}
			return true
		},
		"another answer": func(w http.ResponseWriter, r *http.Request, attempt int32, whole []byte) bool {
			if attempt > 2 {
				return false
			}
			w.Header().Del(headerSHA256)
			w.WriteHeader(http.StatusBadGateway)
			return true
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, e *fakeEngine) {
				var attempts atomic.Int32
				e.shards[1].intercept = func(w http.ResponseWriter, r *http.Request) bool {
					if r.URL.Path != PathResult {
						return false
					}
					whole, err := os.ReadFile(filepath.Join(e.shards[1].folder, resultFile))
					require.NoError(t, err)
					w.Header().Set(headerSHA256, HashOf(whole))
					w.Header().Set("ETag", `"`+HashOf(whole)+`"`)
					return spoil(w, r, attempts.Add(1), whole)
				}
				c, work, l := newRun(t, e)
				o, err := c.Run(context.Background(), work)
				require.NoError(t, err)
				assert.Equal(t, allHome, results(o))
				assert.Empty(t, l.warnings)
				if name != "slow" {
					assert.Greater(t, attempts.Load(), int32(1))
				}
				left, _ := filepath.Glob(filepath.Join(c.Folder, ".*"))
				assert.Empty(t, left, "no half result stays")
			})
		})
	}
}

// cutWriter lets a given number of bytes of a body through.
type cutWriter struct {
	http.ResponseWriter
	left int
}

func (c *cutWriter) Write(p []byte) (int, error) {
	if len(p) > c.left {
		p = p[:c.left]
	}
	c.left -= len(p)
	n, err := c.ResponseWriter.Write(p)
	if c.left == 0 {
		c.ResponseWriter.(http.Flusher).Flush()
		return n, errors.New("cut")
	}
	return n, err
}

func TestAResultThatCannotBeRightIsNotTaken(t *testing.T) {
	inBubble(t, func(t *testing.T, e *fakeEngine) {
		e.shards[1].intercept = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != PathResult {
				return false
			}
			whole, _ := os.ReadFile(filepath.Join(e.shards[1].folder, resultFile))
			w.Header().Set(headerSHA256, HashOf(whole))
			whole[100] ^= 1
			_, _ = w.Write(whole)
			return true
		}
		e.shards[1].mute = true // nor does its log hold it
		c, work, l := newRun(t, e)
		o, err := c.Run(context.Background(), work)
		require.NoError(t, err)
		assert.Equal(t, map[int]string{1: allHome[1], 3: allHome[3]}, results(o))
		assert.Equal(t, []string{"shard 2/3 on node node-b is lost: its result came damaged"}, l.warnings)
	})
}
