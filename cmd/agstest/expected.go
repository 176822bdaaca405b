package main

// expected maps flags that people of other tools try first to the flags that serve their purpose here. A guess by
// spelling would mislead them.
var expected = map[string]string{
	"url": "the address of the service stands in an environment file: agstest init staging.yaml, then --env staging.yaml",
	"host": "the address of the service stands in an environment file: agstest init staging.yaml, then --env " +
		"staging.yaml",
	"target": "the address of the service stands in an environment file: agstest init staging.yaml, then --env " +
		"staging.yaml",
	"env":         "agstest env takes the file as its argument: agstest env staging.yaml",
	"environment": "the environment file is given with --env FILE",
	"config":      "the environment file is given with --env FILE",
	"header":      "headers of every request stand in the environment file, as headers: {X-Env: staging}",
	"insecure": "certificates are always checked; name the authority of the service in the environment file, as " +
		"tls: {ca: ca.pem}",
	"token":       "secrets are never flags; write \"${NAME}\" in the environment file and set the variable NAME",
	"password":    "secrets are never flags; write \"${NAME}\" in the environment file and set the variable NAME",
	"users":       "how many virtual clients take part is said with --clients, how often they send with --rate",
	"vus":         "how many virtual clients take part is said with --clients, how often they send with --rate",
	"concurrency": "how many requests may be under way at once is said with --workers",
	"rps":         "hits a second are said with --rate, such as --rate 200/s",
	"time":        "how long is said with --duration, such as --duration 60s",
	"threshold":   "what must be kept is said with --limit, such as --limit 'refresh.p99<300ms'",
	"dry-run":     "conform --list shows what would run, and agstest env FILE what a file allows, without sending anything",
	"verbose":     "every exchange is in the report of the run; --json writes the whole result to stdout",
	"debug":       "every exchange is in the report of the run; --json writes the whole result to stdout",
	"version":     "the version is shown by: agstest version",
	"junit":       "junit.xml is always written, to the folder that --out names",
	"html":        "the pages are always written, to the folder that --out names",
	"sarif":       "agstest.sarif is written with --reports sarif",
	"report":      "the reports are always written, to the folder that --out names",
	"format": "pages, JSON and JUnit are always written, to the folder that --out names; --reports writes others " +
		"too, such as allure or sarif",
	"include-tags": "scenarios are chosen with --tags, such as --tags '@refresh and not @slow'",
	"fail-fast":    "every scenario is run, so that one run tells everything; --only runs those of some requirements",
}

// expectedCommands maps commands that people try first to those that serve their purpose here.
var expectedCommands = map[string]string{
	"test":   "agstest conform checks a service, agstest load loads it, agstest gate does both",
	"check":  "agstest conform checks a service, agstest load loads it, agstest gate does both",
	"attack": "agstest load loads a service",
	"list": "agstest conform --list lists requirements, agstest steps lists sentences, agstest history list lists " +
		"stored runs",
	"serve":    "agstest mock serves a mock of the service",
	"diff":     "agstest compare tells two runs apart",
	"sbom":     "agstest version --sbom writes what agstest holds",
	"licences": "agstest version --licenses lists the libraries",
	"licenses": "agstest version --licenses lists the libraries",
}
