package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"strings"

	"agstest/internal/failure"
)

// billOfMaterials lists the modules of a program in the form of CycloneDX 1.5 (https://cyclonedx.org/docs/1.5/json/),
// from the data that Go has written into it. It uses no network, and the same program gives the same bytes.
type billOfMaterials struct {
	Schema       string      `json:"$schema"`
	Format       string      `json:"bomFormat"`
	SpecVersion  string      `json:"specVersion"`
	SerialNumber string      `json:"serialNumber"`
	Version      int         `json:"version"`
	Metadata     bomMetadata `json:"metadata"`
	Components   []component `json:"components"`
}

type bomMetadata struct {
	Component component `json:"component"`
}

type component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	PURL       string     `json:"purl"`
	Properties []property `json:"properties,omitempty"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// billOf reads a program that was built with Go; an empty path is this one.
func billOf(path, version string) (*billOfMaterials, error) {
	info, ok := debug.ReadBuildInfo()
	if path != "" {
		var err error
		if info, err = buildinfo.ReadFile(path); err != nil {
			return nil, failure.Usagef("--sbom: %s is no program that was built with Go", path)
		}
	} else if !ok {
		return nil, failure.Usagef("--sbom: this program was built without the list of its modules")
	}
	self := moduleOf("application", info.Main.Path, version)
	for _, setting := range info.Settings {
		if setting.Key == "GOOS" || setting.Key == "GOARCH" || setting.Key == "-tags" {
			self.Properties = append(self.Properties, property{"go:build:" + setting.Key, setting.Value})
		}
	}
	bill := &billOfMaterials{
		Schema: "http://cyclonedx.org/schema/bom-1.5.schema.json", Format: "CycloneDX", SpecVersion: "1.5", Version: 1,
		Metadata: bomMetadata{self}, Components: []component{moduleOf("library", "std",
			strings.TrimPrefix(info.GoVersion, "go"))},
	}
	for _, dependency := range info.Deps {
		if dependency.Replace != nil {
			dependency = dependency.Replace
		}
		part := moduleOf("library", dependency.Path, dependency.Version)
		if dependency.Sum != "" {
			part.Properties = []property{{"go:sum", dependency.Sum}}
		}
		bill.Components = append(bill.Components, part)
	}
	// A serial number that depends on the contents alone (RFC 9562, version 8).
	sum := sha256.Sum256(fmt.Append(nil, bill.Metadata, bill.Components, filepath.Base(path)))
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80
	id := hex.EncodeToString(sum[:16])
	bill.SerialNumber = "urn:uuid:" + strings.Join([]string{id[:8], id[8:12], id[12:16], id[16:20], id[20:]}, "-")
	return bill, nil
}

func moduleOf(kind, path, version string) component {
	purl := "pkg:golang/" + path + "@" + version
	return component{Type: kind, Ref: purl, Name: path, Version: version, PURL: purl}
}
