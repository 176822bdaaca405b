package site

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"sync"
	"time"

	"agstest/reports"
	"agstest/reports/html"
)

//go:embed templates/site.html
var pageTemplates string

//go:embed templates/site.css
var ownSheet string

//go:embed templates/search.js
var searchScript string

// sheet is the style of all reports, and of the site's own parts. It lies beside the pages: hosts with a policy of
// their own, such as Jenkins, let no style sheet within a page through.
var sheet = string(html.StyleSheet()) + ownSheet

var templates = sync.OnceValue(func() *template.Template { return template.Must(html.Parts().Parse(pageTemplates)) })

// policy lets a page use the style sheet beside it and nothing else; with a script, that one by its hash.
func policy(script string) string {
	p := "default-src 'none'; style-src 'self'"
	if script != "" {
		sum := sha256.Sum256([]byte(script))
		p += "; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return p + "; base-uri 'none'; form-action 'none'"
}

// frame is the common data of all pages.
type frame struct {
	Site, Title, Up, Policy string
	Facts                   []reports.Fact
	Nav                     []navEntry
	Script                  template.JS
}

type navEntry struct {
	Name, Path string
	Here       bool
}

var navigation = []navEntry{
	{"Overview", "index.html", false}, {"Requirements", "requirements.html", false}, {"Releases", "releases.html", false},
	{"Calendar", "calendar.html", false}, {"Runs", "runs.html", false}, {"Search", "search.html", false},
}

// frame of a page at a path below the site.
func (b *builder) frame(title, path, up string) frame {
	f := frame{Site: b.options.Name, Title: title, Up: up, Policy: policy("")}
	for _, entry := range navigation {
		entry.Here = entry.Path == path
		f.Nav = append(f.Nav, entry)
	}
	return f
}

// render fills a template and puts the page in place.
func (b *builder) render(path, name, key string, view any) error {
	var text bytes.Buffer
	if err := templates().ExecuteTemplate(&text, name, view); err != nil {
		return fmt.Errorf("writing the page %s: %w", path, err)
	}
	return b.target.put(path, key, text.Bytes())
}

func minute(t time.Time) string {
	if t.IsZero() {
		return "not recorded"
	}
	return t.UTC().Format("2006-01-02 15:04")
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
