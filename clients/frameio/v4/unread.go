package v4

// Unread lists the properties of V4's responses that the adapter leaves out, each with its reason, as "object.path". A star
// stands for any part. What a person typed or chose about the project's content is never among them. A test walks the vendor's
// documentation and requires that every other property changes what the port returns.
var Unread = map[string]string{
	"*total_count": "the listing is counted by reading it",

	// People.
	"*.avatar_url":               "a picture in the person's account, not of the project",
	"*.active":                   "whether the person may still sign in to Frame.io",
	"*.adobe_user_id":            "the person's id at Adobe, beside the id at Frame.io; people are known by e-mail address",
	"account user.role":          "a role in the account, not in the project",
	"group.*":                    "who made the group and where it comes from; its name is read",
	"workspace.account_id":       "the account that the configuration names",
	"workspace.*ated_at":         "of the workspace, which is not archived; its name is read",
	"workspace.creator.*":        "of the workspace, which is not archived; its name is read",
	"workspace.id":               "known from the project",
	"file.type":                  "known from the operation",
	"single comment.replies[].*": "a reply is read with the comments of its file",
	"*.upload_urls[]":            "where the attachment was uploaded to: good for writing only, and a secret",
	"*.project.*":                "the project is read by itself",
	"collection.shares[].*":      "shares are read by themselves",
	"*.head_version.*":           "the current version is read with all versions of its stack",

	// Media that iconik creates again from the original.
	"*media_links.original.inline_url":      "the same bytes as its download_url, to be shown in a browser",
	"*media_links.efficient.download_url":   "a smaller proxy; it is used where there is no better one",
	"child.media_links.high_quality.*":      "a proxy's address is asked for anew when it is needed",
	"version.media_links.high_quality.*":    "a proxy's address is asked for anew when it is needed",
	"*media_links.scrub_sheet.*":            "made by Frame.io from the original; iconik makes its own",
	"*media_links.thumbnail.*":              "made by Frame.io from the original; iconik makes its own",
	"*media_links.thumbnail_high_quality.*": "made by Frame.io from the original; iconik makes its own",
	"*media_links.video_h264_180.*":         "made by Frame.io from the original; iconik makes its own",

	// Metadata fields: the account's definition, not the value.
	"*.metadata[].custom_members[].*":  "who may be chosen for the field, in the account's settings; who was chosen is read",
	"*.metadata[].member_options_type": "who may be chosen for the field, in the account's settings; who was chosen is read",
	"*.metadata[].field_options[].id":  "an option's id, by which the value's name is found where it does not come along",
}
