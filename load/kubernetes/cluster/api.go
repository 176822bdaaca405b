//go:build linux

package cluster

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
)

// Call asks the API server as its administrator and returns the status. Body, where it is not nil, is sent as JSON; an
// answer is read into into. An error means that nothing answered.
func (c *Cluster) Call(method, path string, body, into any) (int, error) {
	return c.call(server+path, method, body, into)
}

func (c *Cluster) call(url, method string, body, into any) (int, error) {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return 0, err
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, url, content)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := c.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	if into != nil && response.StatusCode < 300 {
		if err := json.Unmarshal(answer, into); err != nil {
			return response.StatusCode, fmt.Errorf("%s %s: %w", method, url, err)
		}
	}
	return response.StatusCode, nil
}

// Kubectl runs kubectl as the administrator, with the given stdin; an error holds its output.
func (c *Cluster) Kubectl(stdin string, arguments ...string) (string, error) {
	k := exec.Command(c.Parts.Hyper, arguments...)
	k.Args[0] = "kubectl"
	k.Env = append(os.Environ(), "KUBECONFIG="+filepath.Join(c.authority.folder, "admin.kubeconfig"))
	k.Stdin = bytes.NewReader([]byte(stdin))
	said, err := k.CombinedOutput()
	if err != nil {
		return string(said), fmt.Errorf("kubectl %q: %w\n%s", arguments, err, said)
	}
	return string(said), nil
}

// Stored is one version of one object as etcd keeps it.
type Stored struct {
	Key      string // such as /registry/pods/NAMESPACE/NAME
	Value    []byte // empty: removed
	Revision int64
}

// Revision is the number of the last change in etcd.
func (c *Cluster) Revision() (int64, error) {
	var answer struct {
		Header struct {
			Revision int64 `json:",string"`
		}
	}
	_, err := c.call(store+"/v3/kv/range", http.MethodPost,
		map[string]any{"key": base64.StdEncoding.EncodeToString([]byte("/"))}, &answer)
	return answer.Header.Revision, err
}

// Ever is every version of every object that was written after a revision and up to now, also of those that are gone.
func (c *Cluster) Ever(after int64) ([]Stored, error) {
	last, err := c.Revision()
	if err != nil || last == after {
		return nil, err
	}
	// A watch from the past tells all that has happened since, and then goes on; it is left when the last revision has
	// come.
	question, err := json.Marshal(map[string]any{"create_request": map[string]any{
		"key": base64.StdEncoding.EncodeToString([]byte("/")), "range_end": base64.StdEncoding.EncodeToString([]byte("0")),
		"start_revision": after + 1,
	}})
	if err != nil {
		return nil, err
	}
	response, err := c.client.Post(store+"/v3/watch", "application/json", bytes.NewReader(question))
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var all []Stored
	for told := json.NewDecoder(response.Body); ; {
		var answer struct {
			Result struct {
				Events []struct {
					Kv struct {
						Key, Value  []byte
						ModRevision int64 `json:"mod_revision,string"`
					}
				}
				Canceled bool
			}
			Error json.RawMessage
		}
		if err := told.Decode(&answer); err != nil {
			return nil, fmt.Errorf("reading what etcd has kept: %w", err)
		}
		if answer.Error != nil || answer.Result.Canceled {
			return nil, fmt.Errorf("etcd does not tell what it has kept: %s", answer.Error)
		}
		for _, e := range answer.Result.Events {
			all = append(all, Stored{Key: string(e.Kv.Key), Value: e.Kv.Value, Revision: e.Kv.ModRevision})
		}
		if len(all) > 0 && all[len(all)-1].Revision >= last {
			return all, nil
		}
	}
}
