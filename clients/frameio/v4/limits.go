package v4

import (
	"time"

	"github.com/framebridge/framebridge/clients/rest"
)

// Operation names, which also identify the rate budgets: Frame.io limits each operation separately, per user.
const (
	opMe                = "GET /me"
	opAccounts          = "GET /accounts"
	opWorkspaces        = "GET ~/workspaces"
	opWorkspace         = "GET ~/workspaces/{id}"
	opWorkspaceProjects = "GET ~/workspaces/{id}/projects"
	opCreateProject     = "POST ~/workspaces/{id}/projects"
	opProjects          = "GET ~/projects"
	opProject           = "GET ~/projects/{id}"
	opFile              = "GET ~/files/{id}"
	opFileStatus        = "GET ~/files/{id}/status"
	opFileFields        = "GET ~/files/{id}/metadata"
	opFieldDefinitions  = "GET ~/metadata/field_definitions"
	opSetFields         = "PATCH ~/projects/{id}/metadata/values"
	opDeleteFile        = "DELETE ~/files/{id}"
	opMoveFile          = "PATCH ~/files/{id}/move"
	opFolder            = "GET ~/folders/{id}"
	opChildren          = "GET ~/folders/{id}/children"
	opCreateFolder      = "POST ~/folders/{id}/folders"
	opDeleteFolder      = "DELETE ~/folders/{id}"
	opUpload            = "POST ~/folders/{id}/files/local_upload"
	opCreateStack       = "POST ~/folders/{id}/version_stacks"
	opStack             = "GET ~/version_stacks/{id}"
	opStackChildren     = "GET ~/version_stacks/{id}/children"
	opComments          = "GET ~/files/{id}/comments"
	opComment           = "GET ~/comments/{id}"
	opCreateComment     = "POST ~/files/{id}/comments"
	opUpdateComment     = "PATCH ~/comments/{id}"
	opDeleteComment     = "DELETE ~/comments/{id}"
	opShares            = "GET ~/projects/{id}/shares"
	opShare             = "GET ~/shares/{id}"
	opCreateShare       = "POST ~/projects/{id}/shares"
	opUpdateShare       = "PATCH ~/shares/{id}"
	opDeleteShare       = "DELETE ~/shares/{id}"
	opShareAssets       = "GET ~/shares/{id}/assets"
	opAddToShare        = "POST ~/shares/{id}/assets"
	opReviewers         = "GET ~/shares/{id}/reviewers"
	opInvite            = "POST ~/shares/{id}/reviewers"
	opCollections       = "GET ~/projects/{id}/collections"
	opUsers             = "GET ~/users"
	opGroups            = "GET ~/groups"
	opProjectUsers      = "GET ~/projects/{id}/users"
	opFolderUsers       = "GET ~/folders/{id}/users"
)

// limits is the vendor's table of July 2026. The headers of each response correct it.
var limits = map[string]rest.Limit{}

func init() {
	set := func(calls float64, window time.Duration, ops ...string) {
		for _, op := range ops {
			limits[op] = rest.Limit{Calls: calls, Window: window}
		}
	}
	set(100, time.Minute, opMe, opAccounts, opWorkspaces, opWorkspace, opWorkspaceProjects, opProjects, opProject, opDeleteFile, opMoveFile, opFolder, opChildren,
		opStack, opStackChildren, opComments, opComment, opCreateComment, opShares, opShare, opShareAssets,
		opCollections, opUsers, opGroups, opProjectUsers, opFolderUsers, opFileFields, opFieldDefinitions)
	set(60, time.Minute, opDeleteComment, opDeleteFolder, opDeleteShare)
	set(10, time.Minute, opCreateProject, opCreateStack, opUpdateComment, opCreateShare, opUpdateShare, opAddToShare, opReviewers, opInvite, opSetFields)
	set(10, time.Second, opFile)
	set(5, time.Second, opFileStatus, opUpload)
	set(3, time.Second, opCreateFolder)
}
