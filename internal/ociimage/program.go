package ociimage

import (
	"bytes"
	"debug/elf"
	"encoding/pem"
	"strings"

	"agstest/internal/failure"
)

// Platform is the operating system and processor of a program.
type Platform struct {
	OS           string // linux
	Architecture string // amd64 or arm64
}

var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// ReadPlatform reads OS/ARCHITECTURE.
func ReadPlatform(text string) (Platform, error) {
	os, architecture, _ := strings.Cut(text, "/")
	if _, known := machines[architecture]; os != "linux" || !known {
		return Platform{}, failure.Usagef("the platform of an image must be linux/amd64 or linux/arm64, not %q", text)
	}
	return Platform{os, architecture}, nil
}

func (p Platform) String() string { return p.OS + "/" + p.Architecture }

// CheckProgram refuses a file that would not run in an image without other files: no program, one for another platform,
// or one that needs a loader and libraries.
func CheckProgram(path string, program []byte, p Platform) error {
	file, err := elf.NewFile(bytes.NewReader(program))
	if err != nil || file.Type != elf.ET_EXEC && file.Type != elf.ET_DYN {
		return failure.Usagef(
			"%s is no program for Linux; take the binary agstest-%s-%s of the release, or build one with CGO_ENABLED=0",
			path, p.OS, p.Architecture)
	}
	if file.Machine != machines[p.Architecture] || file.Class != elf.ELFCLASS64 {
		return failure.Usagef("%s is not for %s (it is for %s); give the --platform that it was built for", path, p,
			strings.TrimPrefix(file.Machine.String(), "EM_"))
	}
	for _, part := range file.Progs {
		if part.Type == elf.PT_INTERP {
			return failure.Usagef(
				"%s needs the libraries of a system, which an image from scratch lacks; build it with CGO_ENABLED=0",
				path)
		}
	}
	return nil
}

// ReadRoots keeps only the certificates of a bundle, so that no key beside them gets into an image.
func ReadRoots(path string, bundle []byte) ([]byte, error) {
	var roots bytes.Buffer
	for block, rest := pem.Decode(bundle); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			block.Headers = nil
			_ = pem.Encode(&roots, block) // a buffer takes everything
		}
	}
	if roots.Len() == 0 {
		return nil, failure.Usagef("%s holds no certificate in PEM", path)
	}
	return roots.Bytes(), nil
}
