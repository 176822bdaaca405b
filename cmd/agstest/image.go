package main

import (
	"bytes"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"

	"github.com/spf13/cobra"

	"agstest/internal/failure"
	"agstest/internal/ociimage"
	"agstest/internal/userfile"
	"agstest/internal/wholefile"
)

// imageFlags say what an image is made of.
type imageFlags struct{ output, binary, name, platform, ca string }

// caBundles are where distributions keep the roots that TLS trusts, in the order in which Go looks (crypto/x509,
// root_linux.go).
var caBundles = []string{
	"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
	"/etc/pki/tls/cacert.pem",
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem",
}

func (p *program) imageCommand() *cobra.Command {
	var f imageFlags
	c := &cobra.Command{
		Use:   "image",
		Short: "Write a container image of agstest, for the shards of a load on Kubernetes.",
		Long: `Writes an archive with an image that holds agstest, the CA roots and nothing else, and whose process is no root. No Docker and no registry
is needed; the same input gives the same bytes and the same digest, which is printed (a tool that compresses the image on its way to a
registry gives it another). docker load, podman load, ctr images import and kind load image-archive read it; skopeo copies it to a registry.`,
		Example: `  agstest image --output agstest.tar                # of this very program
  agstest image --output agstest.tar --binary agstest-linux-arm64 --platform linux/arm64 --name registry.example.com/qa/agstest:1.0
  skopeo copy oci-archive:agstest.tar docker://registry.example.com/qa/agstest:1.0`,
		RunE: func(c *cobra.Command, args []string) error { return p.writeImage(&f) },
	}
	flags := c.Flags()
	flags.StringVar(&f.output, "output", "", "the archive; one that is there is replaced")
	flags.StringVar(&f.binary, "binary", "", "the agstest to put in; left out: this one, where it fits")
	flags.StringVar(&f.name, "name", "agstest", "name of the image; a tag that is left out is the version")
	flags.StringVar(&f.platform, "platform", "linux/amd64", "what the nodes are: linux/amd64 or linux/arm64")
	flags.StringVar(&f.ca, "ca", "", "CA roots in PEM that the shards trust; left out: those of this machine")
	_ = c.MarkFlagFilename("output", "tar")
	_ = c.MarkFlagFilename("ca", "pem", "crt")
	_ = c.RegisterFlagCompletionFunc("platform", cobra.FixedCompletions([]string{"linux/amd64", "linux/arm64"},
		cobra.ShellCompDirectiveNoFileComp))
	return c
}

func (p *program) writeImage(f *imageFlags) error {
	if f.output == "" {
		return failure.Usagef("agstest image needs --output FILE, the archive to write")
	}
	var image ociimage.Image
	var err error
	if image.Platform, err = ociimage.ReadPlatform(f.platform); err != nil {
		return err
	}
	if image.Name, err = ociimage.ReadName(f.name, buildInfo().Version); err != nil {
		return err
	}
	if image.Program, err = binaryFor(f, image.Platform); err != nil {
		return err
	}
	if image.Roots, err = p.rootsFor(f); err != nil {
		return err
	}
	var digest string
	err = wholefile.Write(f.output, 0o644, func(file *os.File) (err error) {
		digest, err = image.Write(file)
		return err
	})
	if err != nil {
		return failure.Usagef("cannot write the image: %w", err)
	}
	fmt.Fprintf(p.stdout, "%s\n%s for %s\n%s\n", f.output, image.Name, image.Platform, digest)
	return nil
}

// binaryFor reads the program for an image and refuses one that would not run there.
func binaryFor(f *imageFlags, platform ociimage.Platform) ([]byte, error) {
	path := f.binary
	if path == "" {
		if runtime.GOOS != platform.OS || runtime.GOARCH != platform.Architecture {
			return nil, failure.Usagef("this agstest is for %s/%s; give --binary agstest-%s-%s of the same release",
				runtime.GOOS, runtime.GOARCH, platform.OS, platform.Architecture)
		}
		var err error
		if path, err = os.Executable(); err != nil {
			return nil, failure.Usagef("cannot tell which file this program is (%w); give --binary FILE", err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, failure.Usagef("cannot read the program for the image: %w", err)
	}
	if err := ociimage.CheckProgram(path, text, platform); err != nil {
		return nil, err
	}
	if info, err := buildinfo.Read(bytes.NewReader(text)); err != nil || info.Path != "agstest/cmd/agstest" {
		return nil, failure.Usagef("%s is not agstest", path)
	}
	return text, nil
}

// rootsFor reads the certificates that the shards are to trust.
func (p *program) rootsFor(f *imageFlags) ([]byte, error) {
	paths := caBundles
	if f.ca != "" {
		paths = []string{f.ca}
	}
	for _, path := range paths {
		bundle, err := userfile.ReadPEM(path)
		if errors.Is(err, fs.ErrNotExist) && f.ca == "" {
			continue
		}
		if err != nil {
			return nil, failure.Usagef("cannot read the CA roots for the image, %s: %w", path, err)
		}
		return ociimage.ReadRoots(path, bundle)
	}
	p.notef("this machine has no CA roots: the image trusts no certificate but those that an environment names; --ca " +
		"FILE puts roots in")
	return nil, nil
}
