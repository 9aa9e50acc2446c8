// Package custody signs what Framebridge issues as proof, and verifies it later: offline, and without Framebridge's own
// database. Signatures are Ed25519ph (RFC 8032). They cover every byte of the file before them, so that any changed byte
// shows.
package custody

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
)

// Algorithm is the name of the signature algorithm, as signatures and keys state it.
const Algorithm = "Ed25519ph"

// purpose keeps signatures of reports from being valid for anything else.
var purpose = ed25519.Options{Hash: crypto.SHA512, Context: "framebridge report"}

// Signature is the end of a signed file.
type Signature struct {
	Algorithm string `json:"algorithm"`
	Key       string `json:"key"`        // the key's ID
	PublicKey string `json:"public_key"` // in base64
	Value     string `json:"value"`      // in base64
}

// KeyID returns the ID of a public key: the first 16 hexadecimal digits of its SHA-256.
func KeyID(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:8])
}

// What separates a file's content from its signature, and what follows the signature.
const (
	jsonMark   = ",\n  \"signature\": "
	jsonEnd    = "\n}\n"
	markupMark = "<!-- signature: "
	markupEnd  = " -->\n"
)

// Writer passes a file through, and can end it with a signature of everything written.
type Writer struct {
	w   io.Writer
	sum hash.Hash
	key ed25519.PrivateKey
}

// NewWriter returns a Writer that signs with key. If key is nil, no signature is added.
func NewWriter(w io.Writer, key ed25519.PrivateKey) *Writer {
	return &Writer{w: w, sum: sha512.New(), key: key}
}

func (s *Writer) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	s.sum.Write(p[:n])
	return n, err
}

// EndJSON signs and closes a JSON object. The caller must not have written its closing brace.
func (s *Writer) EndJSON() error {
	if s.key == nil {
		_, err := io.WriteString(s.w, jsonEnd)
		return err
	}
	return s.end(jsonMark, jsonEnd)
}

// EndMarkup ends a page or an XML file with the signature in a comment.
func (s *Writer) EndMarkup() error {
	if s.key == nil {
		return nil
	}
	return s.end(markupMark, markupEnd)
}

func (s *Writer) end(mark, end string) error {
	value, err := s.key.Sign(nil, s.sum.Sum(nil), &purpose)
	if err != nil {
		return err
	}
	public, ok := s.key.Public().(ed25519.PublicKey)
	if !ok {
		return errors.New("the signing key has no public half")
	}
	line, err := json.Marshal(Signature{Algorithm, KeyID(public), base64.StdEncoding.EncodeToString(public), base64.StdEncoding.EncodeToString(value)})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.w, "%s%s%s", mark, line, end)
	return err
}

// Errors that Check returns.
var (
	// ErrUnsigned means that there is no signature, so that nothing proves the file's origin.
	ErrUnsigned = errors.New("not signed")
	// ErrChanged means that the content or the signature is not as it was written.
	ErrChanged = errors.New("changed since it was signed")
	// ErrOtherKey means that the file was signed with a key that is not trusted.
	ErrOtherKey = errors.New("signed with a key that is not trusted")
)

// Check verifies a signed file against the trusted keys. Without any, it verifies the file against the key that it names itself.
// That shows damage but not who signed it: the caller must compare the key's ID.
func Check(file []byte, trusted []ed25519.PublicKey) (Signature, error) {
	var s Signature
	content, rest := file, []byte(nil)
	for mark, end := range map[string]string{jsonMark: jsonEnd, markupMark: markupEnd} {
		at := bytes.LastIndex(file, []byte(mark))
		if at < 0 {
			continue
		}
		line, whole := bytes.CutSuffix(file[at+len(mark):], []byte(end))
		if !whole || bytes.ContainsRune(line, '\n') {
			return s, fmt.Errorf("%w: there is something after the signature", ErrChanged)
		}
		content, rest = file[:at], line
	}
	if rest == nil {
		return s, ErrUnsigned
	}
	if err := json.Unmarshal(rest, &s); err != nil {
		return s, fmt.Errorf("%w: the signature cannot be read", ErrChanged)
	}
	canonical, err := json.Marshal(s)
	if err != nil || !bytes.Equal(canonical, rest) {
		return s, fmt.Errorf("%w: the signature is not written the way Framebridge writes it", ErrChanged)
	}
	public, err := ParseKey(s.PublicKey)
	if err != nil || s.Algorithm != Algorithm || s.Key != KeyID(public) {
		return s, fmt.Errorf("%w: the signature's key is not one of %s", ErrChanged, Algorithm)
	}
	value, err := base64.StdEncoding.Strict().DecodeString(s.Value)
	if err != nil {
		return s, fmt.Errorf("%w: the signature cannot be read", ErrChanged)
	}
	sum := sha512.Sum512(content)
	if ed25519.VerifyWithOptions(public, sum[:], value, &purpose) != nil {
		return s, ErrChanged
	}
	for _, key := range trusted {
		if key.Equal(public) {
			return s, nil
		}
	}
	if len(trusted) > 0 {
		return s, fmt.Errorf("%w: %s", ErrOtherKey, s.Key)
	}
	return s, nil
}

// ParseKey parses a public key in base64.
func ParseKey(text string) (ed25519.PublicKey, error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != ed25519.PublicKeySize {
		return nil, errors.New("not an Ed25519 public key in base64, as GET /report-keys shows it")
	}
	return raw, nil
}
