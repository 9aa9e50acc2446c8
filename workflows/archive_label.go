package workflows

import (
	"cmp"

	"go.temporal.io/sdk/temporal"
)

// Tag is a search attribute with its value.
type Tag struct {
	Name string
	Set  temporal.SearchAttributeUpdate
}

// Keyword returns a tag for an attribute of type Keyword.
func Keyword(k temporal.SearchAttributeKeyKeyword, value string) Tag {
	return Tag{k.GetName(), k.ValueSet(value)}
}

// TypedSearchAttributes returns the search attributes that a workflow starts with.
func TypedSearchAttributes(tags []Tag) temporal.SearchAttributes {
	set := make([]temporal.SearchAttributeUpdate, len(tags))
	for i, t := range tags {
		set[i] = t.Set
	}
	return temporal.NewSearchAttributes(set...)
}

// ArchiveLabel is how people find an archive in Temporal's UI, whoever starts it.
type ArchiveLabel struct {
	Summary string
	Memo    map[string]any
	Tags    []Tag
}

// LabelArchive labels an archive with the names of its tenant and project; project is "" if it is not known yet. If histories are
// encrypted, the name is not a search attribute, because those are never encrypted.
func LabelArchive(ref Ref, tenant, project string, encrypted bool) ArchiveLabel {
	l := ArchiveLabel{
		Summary: Clip("Archive of " + cmp.Or(project, "Frame.io project "+ref.Archive)),
		Memo:    map[string]any{"tenant": tenant, "project": cmp.Or(project, ref.Archive)},
		Tags:    []Tag{Keyword(AttributeTenant, ref.Tenant), Keyword(AttributeProject, ref.Archive), Keyword(AttributeStatus, "queued")},
	}
	if project != "" && !encrypted {
		l.Tags = append(l.Tags, Keyword(AttributeName, project))
	}
	return l
}
