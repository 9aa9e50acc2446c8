//go:build !integration

package contract

const wholeTables = false
