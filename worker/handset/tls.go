package handset

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"net"
	"os"
	"strings"

	"ringmaster/proto/phone"
)

// tlsConfig is how the phone speaks TLS. It trusts the system's roots, or those
// of its CA file alone. The errors are of kind Invalid and name argument and
// file; no text from a file is in them.
func tlsConfig(s phone.Settings) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: s.TLSInsecure} //nolint:gosec // as the user says
	if s.TLSCAFile != "" {
		pem, err := readPEM("tls_ca_file", s.TLSCAFile)
		if err != nil {
			return nil, err
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, phone.Errorf(phone.Invalid, "tls_ca_file %s holds no certificate in PEM form", s.TLSCAFile)
		}
	}
	switch {
	case s.TLSCertFile == "" && s.TLSKeyFile == "":
		return c, nil
	case s.TLSKeyFile == "":
		return nil, phone.Errorf(phone.Invalid, "tls_cert_file is given without tls_key_file: give both, or neither")
	case s.TLSCertFile == "":
		return nil, phone.Errorf(phone.Invalid, "tls_key_file is given without tls_cert_file: give both, or neither")
	}
	cert, err := readPEM("tls_cert_file", s.TLSCertFile)
	if err != nil {
		return nil, err
	}
	key, err := readPEM("tls_key_file", s.TLSKeyFile)
	if err != nil {
		return nil, err
	}
	own, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, phone.Errorf(phone.Invalid, "tls_cert_file %s and tls_key_file %s are no certificate and its key in PEM form", s.TLSCertFile, s.TLSKeyFile)
	}
	c.Certificates = []tls.Certificate{own}
	return c, nil
}

// maxPEM bounds a file in bytes; a system's whole bundle of roots has 200 kB.
const maxPEM = 4 << 20

// readPEM reads a file that an argument names.
func readPEM(argument, path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, phone.Errorf(phone.Invalid, "%s %s not found", argument, path)
	case err == nil && !info.Mode().IsRegular():
		return nil, phone.Errorf(phone.Invalid, "%s %s is not a regular file", argument, path)
	case err == nil && info.Size() > maxPEM:
		return nil, phone.Errorf(phone.Invalid, "%s %s is larger than %d MiB", argument, path, maxPEM>>20)
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		var why *fs.PathError
		if errors.As(err, &why) {
			err = why.Err
		}
		return nil, phone.Errorf(phone.Invalid, "%s %s cannot be read: %v", argument, path, err)
	}
	return pem, nil
}

// hostOf is the host of a domain, which may have a port.
func hostOf(domain string) string {
	if host, _, err := net.SplitHostPort(domain); err == nil {
		return host
	}
	return strings.Trim(domain, "[]")
}
