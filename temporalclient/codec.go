package temporalclient

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/proto"

	"github.com/framebridge/framebridge/config"
)

// Metadata of an encrypted payload. Both values are stored in histories and never change.
const (
	encodingEncrypted = "binary/encrypted"
	metadataKeyID     = "encryption-key-id"
)

// codec encrypts payloads with AES-256-GCM. Decoding leaves an unencrypted payload as it is, because it was written before there
// were keys.
type codec struct {
	first string // the key that encrypts
	keys  map[string]cipher.AEAD
}

// NewCodec returns the codec for the configured keys, or nil if there are none.
func NewCodec(cfg config.Codec) (converter.PayloadCodec, error) {
	if len(cfg.Keys) == 0 {
		return nil, nil //nolint:nilnil // it is off
	}
	c := &codec{keys: map[string]cipher.AEAD{}}
	for _, secret := range cfg.Keys {
		id, gcm, err := deriveKey(secret.Reveal())
		if err != nil {
			return nil, fmt.Errorf("temporal.codec.keys: %w", err)
		}
		if c.first == "" {
			c.first = id
		}
		c.keys[id] = gcm
	}
	return c, nil
}

// deriveKey derives a key from a secret, and an ID that reveals nothing about it.
func deriveKey(secret string) (string, cipher.AEAD, error) {
	pseudorandom, err := hkdf.Extract(sha256.New, []byte(secret), nil)
	if err != nil {
		return "", nil, err
	}
	key, err := hkdf.Expand(sha256.New, pseudorandom, "framebridge temporal payload key", 32)
	if err != nil {
		return "", nil, err
	}
	id, err := hkdf.Expand(sha256.New, pseudorandom, "framebridge temporal payload key id", 8)
	if err != nil {
		return "", nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return "", nil, err
	}
	gcm, err := cipher.NewGCM(block)
	return hex.EncodeToString(id), gcm, err
}

// Encode encrypts whole payloads, including their metadata.
func (c *codec) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	out := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		plain, err := proto.Marshal(p)
		if err != nil {
			return nil, err
		}
		gcm := c.keys[c.first]
		nonce := make([]byte, gcm.NonceSize(), gcm.NonceSize()+len(plain)+gcm.Overhead())
		if _, err := rand.Read(nonce); err != nil {
			return nil, err
		}
		out[i] = &commonpb.Payload{
			Metadata: map[string][]byte{converter.MetadataEncoding: []byte(encodingEncrypted), metadataKeyID: []byte(c.first)},
			Data:     gcm.Seal(nonce, nonce, plain, []byte(c.first)),
		}
	}
	return out, nil
}

// Decode decrypts payloads that Encode encrypted with any of the keys.
func (c *codec) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	out := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		if string(p.GetMetadata()[converter.MetadataEncoding]) != encodingEncrypted {
			out[i] = p
			continue
		}
		id := string(p.GetMetadata()[metadataKeyID])
		gcm, known := c.keys[id]
		if !known {
			return nil, fmt.Errorf("temporal.codec.keys: none of them is the key %q that a payload was encrypted with", id)
		}
		if len(p.GetData()) < gcm.NonceSize() {
			return nil, errors.New("an encrypted payload is cut short")
		}
		plain, err := gcm.Open(nil, p.GetData()[:gcm.NonceSize()], p.GetData()[gcm.NonceSize():], []byte(id))
		if err != nil {
			return nil, fmt.Errorf("an encrypted payload was changed: %w", err)
		}
		out[i] = &commonpb.Payload{}
		if err := proto.Unmarshal(plain, out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Converters returns how payloads and failures are stored in Temporal, for clients, workers and replays alike: as the SDK does by
// default, and encrypted if there are keys, including the messages and stack traces of failures.
func Converters(cfg config.Codec) (converter.DataConverter, converter.FailureConverter, error) {
	c, err := NewCodec(cfg)
	if err != nil || c == nil {
		return converter.GetDefaultDataConverter(), temporal.GetDefaultFailureConverter(), err
	}
	data := converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), c)
	return data, temporal.NewDefaultFailureConverter(temporal.DefaultFailureConverterOptions{DataConverter: data, EncodeCommonAttributes: true}), nil
}
