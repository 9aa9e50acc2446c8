package config

import (
	"bytes"
	"io"

	"github.com/spf13/viper"
)

// Viper finds and reads the file and knows the environment. The file's text goes to a decoder of our own, and nothing of it
// into Viper's settings, which fold the case of keys, turn secrets such as 0123 into numbers and take unknown keys.

// DefaultPath is where the configuration is when no --config is given.
func DefaultPath() string {
	v := environment()
	v.SetDefault("config", "framebridge.yaml")
	v.AllowEmptyEnv(false)
	_ = v.BindEnv("config") // fails without a key only
	return v.GetString("config")
}

// environment is a Viper that reads FRAMEBRIDGE_… variables.
func environment() *viper.Viper {
	v := viper.New()
	v.SetEnvPrefix(envPrefix)
	v.AllowEmptyEnv(true)
	return v
}

// strict gives the text of a file to decode, whatever Viper takes it for.
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
	v.SetConfigType("yaml") // whatever the file is called
	err := v.ReadInConfig()
	if unreadable != nil {
		return unreadable // not in Viper's words
	}
	return err
}
