//go:build kubernetes

package main

import "maps"

func init() { maps.Copy(licences, licencesOfKubernetes) }

// licencesOfKubernetes are the modules that the flavour with the engine for Kubernetes holds beyond the others.
var licencesOfKubernetes = map[string]string{
	"github.com/davecgh/go-spew":             "ISC",
	"github.com/emicklei/go-restful/v3":      "MIT",
	"github.com/fxamacker/cbor/v2":           "MIT",
	"github.com/go-logr/logr":                "Apache-2.0",
	"github.com/go-openapi/jsonpointer":      "Apache-2.0",
	"github.com/go-openapi/jsonreference":    "Apache-2.0",
	"github.com/go-openapi/swag":             "Apache-2.0",
	"github.com/go-openapi/swag/cmdutils":    "Apache-2.0",
	"github.com/go-openapi/swag/conv":        "Apache-2.0",
	"github.com/go-openapi/swag/fileutils":   "Apache-2.0",
	"github.com/go-openapi/swag/jsonutils":   "Apache-2.0",
	"github.com/go-openapi/swag/loading":     "Apache-2.0",
	"github.com/go-openapi/swag/mangling":    "Apache-2.0",
	"github.com/go-openapi/swag/netutils":    "Apache-2.0",
	"github.com/go-openapi/swag/pools":       "Apache-2.0",
	"github.com/go-openapi/swag/stringutils": "Apache-2.0",
	"github.com/go-openapi/swag/typeutils":   "Apache-2.0",
	"github.com/go-openapi/swag/yamlutils":   "Apache-2.0",
	"github.com/google/gnostic-models":       "Apache-2.0",
	"github.com/gorilla/websocket":           "BSD-2-Clause",
	"github.com/json-iterator/go":            "MIT",
	"github.com/moby/spdystream":             "Apache-2.0",
	"github.com/modern-go/concurrent":        "Apache-2.0",
	"github.com/modern-go/reflect2":          "Apache-2.0",
	"github.com/x448/float16":                "MIT",
	"go.yaml.in/yaml/v2":                     "MIT AND Apache-2.0",
	"golang.org/x/oauth2":                    "BSD-3-Clause",
	"golang.org/x/time":                      "BSD-3-Clause",
	"gopkg.in/evanphx/json-patch.v4":         "BSD-3-Clause",
	"gopkg.in/inf.v0":                        "BSD-3-Clause",
	"k8s.io/api":                             "Apache-2.0",
	"k8s.io/apimachinery":                    "Apache-2.0",
	"k8s.io/client-go":                       "Apache-2.0",
	"k8s.io/klog/v2":                         "Apache-2.0",
	"k8s.io/kube-openapi":                    "Apache-2.0",
	"k8s.io/streaming":                       "Apache-2.0",
	"k8s.io/utils":                           "Apache-2.0 AND BSD-3-Clause",
	"sigs.k8s.io/json":                       "Apache-2.0 AND BSD-3-Clause",
	"sigs.k8s.io/randfill":                   "Apache-2.0",
	"sigs.k8s.io/structured-merge-diff/v6":   "Apache-2.0",
	"sigs.k8s.io/yaml":                       "MIT AND BSD-3-Clause AND Apache-2.0",
}
