// Package config replaces how Amazon's SDK finds its credentials for Temporal's archiver and Elasticsearch. The sandbox's
// server has neither.
package config

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
)

var errNone = errors.New("AWS is not in the sandbox's Temporal server")

// LoadOptionsFunc changes nothing.
type LoadOptionsFunc struct{}

// EnvConfig is never filled.
type EnvConfig struct{ Credentials aws.Credentials }

// LoadDefaultConfig fails.
func LoadDefaultConfig(context.Context, ...LoadOptionsFunc) (aws.Config, error) {
	return aws.Config{}, errNone
}

// NewEnvConfig fails.
func NewEnvConfig() (EnvConfig, error) { return EnvConfig{}, errNone }

// WithRegion changes nothing.
func WithRegion(string) LoadOptionsFunc { return LoadOptionsFunc{} }

// WithClientLogMode changes nothing.
func WithClientLogMode(aws.ClientLogMode) LoadOptionsFunc { return LoadOptionsFunc{} }
