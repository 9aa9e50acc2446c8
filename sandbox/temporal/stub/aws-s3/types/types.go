// Package types has S3's errors and rows that Temporal's archiver uses.
package types

// NoSuchBucket is never returned.
type NoSuchBucket struct{}

func (*NoSuchBucket) Error() string { return "NoSuchBucket" }

// NoSuchKey is never returned.
type NoSuchKey struct{}

func (*NoSuchKey) Error() string { return "NoSuchKey" }

// CommonPrefix is a folder of a listing.
type CommonPrefix struct{ Prefix *string }

// Object is a row of a listing.
type Object struct{ Key *string }
