package config

import (
	"bytes"
	"io"

	"github.com/spf13/viper"
)

// Viper finds and reads the file and knows the environment. The file's text goes to our own decoder, and none of it into Viper's
// settings: those fold the case of keys, turn secrets such as 0123 into numbers and accept unknown keys.

// DefaultPath returns where the configuration is if no --config is given.
func DefaultPath() string {
	v := environment()
	v.SetDefault("config", "framebridge.yaml")
	v.AllowEmptyEnv(false)
	_ = v.BindEnv("config") // fails only without a key
	return v.GetString("config")
}

// environment returns a Viper that reads FRAMEBRIDGE_… variables.
func environment() *viper.Viper {
	v := viper.New()
	v.SetEnvPrefix(envPrefix)
	v.AllowEmptyEnv(true)
	return v
}

// strict passes a file's text to decode, whatever format Viper takes it for.
type strict struct {
	decode func(text io.Reader) error
}

func (s strict) Decoder(string) (viper.Decoder, error) { return s, nil }

func (s strict) Decode(text []byte, _ map[string]any) error { return s.decode(bytes.NewReader(text)) }

// readText has Viper read a file and decode it.
func readText(path string, decode func(text io.Reader) error) error {
	var unreadable error
	v := viper.NewWithOptions(viper.WithDecoderRegistry(strict{func(text io.Reader) error {
		unreadable = decode(text)
		return unreadable
	}}))
	v.SetConfigFile(path)
	v.SetConfigType("yaml") // whatever the file's name
	err := v.ReadInConfig()
	if unreadable != nil {
		return unreadable // without Viper's wrapping
	}
	return err
}
