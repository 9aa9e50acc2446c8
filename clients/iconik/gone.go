package iconik

import "github.com/framebridge/framebridge/clients/rest"

// StatusDeleted is the status of a deleted object, which is still shown as long as it is in the delete queue.
const StatusDeleted = "DELETED"

// Gone reports whether an object requested by its ID does not exist: iconik does not know it, or shows it as deleted.
func Gone[T interface{ Deleted() bool }](object T, err error) bool {
	return rest.IsNotFound(err) || err == nil && object.Deleted()
}

// Deleted reports whether the asset was deleted.
func (a Asset) Deleted() bool { return a.Status == StatusDeleted }

// Deleted reports whether the version was deleted or is being deleted.
func (v Version) Deleted() bool { return v.Status == StatusDeleted || v.Status == "DELETING" }

// Deleted reports whether the collection was deleted.
func (c Collection) Deleted() bool { return c.Status == StatusDeleted }

// Deleted reports whether the object in a collection or search result was deleted.
func (o Object) Deleted() bool { return o.Status == StatusDeleted }

// Deleted reports whether the format was deleted.
func (f Format) Deleted() bool { return f.Status == StatusDeleted }

// Deleted reports whether the file set was deleted.
func (f FileSet) Deleted() bool { return f.Status == StatusDeleted }

// Deleted reports whether the file was deleted, or what contains it: a deleted format or file set takes its files with it,
// which may be shown as intact until then.
func (f File) Deleted() bool {
	return f.Status == StatusDeleted || f.FileSetStatus == StatusDeleted || f.FormatStatus == StatusDeleted
}

// Deleted reports whether the segment was deleted.
func (s Segment) Deleted() bool { return s.Status == StatusDeleted }
