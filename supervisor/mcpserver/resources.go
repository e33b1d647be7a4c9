package mcpserver

import (
	"context"
	"encoding/base64"

	"ringmaster/supervisor/tool"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// resourcePage is how many resources one page of resources/list has.
const resourcePage = 100

// mcp-go keeps a list of resources that somebody has to bring up to date, and
// orders it by name. What calls leave changes with every call, so each request
// looks: the hook fills what mcp-go has left empty. mcp-go has checked then
// that the cursor is base64; what is in it may be anything.

func (s *Server) addResources(hooks *server.Hooks) {
	hooks.AddAfterListResources(func(ctx context.Context, _ any, request *mcp.ListResourcesRequest, result *mcp.ListResourcesResult) {
		after, err := base64.StdEncoding.DecodeString(string(request.Params.Cursor))
		if err != nil {
			return // was refused
		}
		list, next, err := s.o.Tools.Resources(ctx, string(after), resourcePage)
		if err != nil {
			return // the request is cancelled
		}
		for _, r := range list {
			result.Resources = append(result.Resources, describeResource(r))
		}
		result.NextCursor = mcp.Cursor(base64.StdEncoding.EncodeToString([]byte(next)))
	})
}

func describeResource(r tool.Resource) mcp.Resource {
	d := mcp.Resource{URI: r.URI, Name: r.Name, Description: r.Description, MIMEType: r.MIME}
	if r.Changed.Unix() > 0 { // what comes with the program has no such time
		d.Annotations = &mcp.Annotations{LastModified: r.Changed.UTC().Format("2006-01-02T15:04:05.000Z07:00")}
	}
	if r.Size > 0 {
		d.Size = &r.Size
	}
	return d
}

func (s *Server) resourceTemplates() []server.ServerResourceTemplate {
	var templates []server.ServerResourceTemplate
	for _, t := range s.o.Tools.ResourceTemplates() {
		d := mcp.NewResourceTemplate(t.URI, t.Name)
		d.Title, d.Description, d.MIMEType = t.Title, t.Description, t.MIME
		templates = append(templates, server.ServerResourceTemplate{Template: d, Handler: s.readResource})
	}
	return templates
}

func (s *Server) readResource(ctx context.Context, request mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
	uri := request.Params.URI
	c, err := s.o.Tools.ReadResource(ctx, uri)
	if err != nil {
		return nil, err
	}
	if c.Text {
		return []mcp.ResourceContents{mcp.TextResourceContents{URI: uri, MIMEType: c.MIME, Text: string(c.Data)}}, nil
	}
	return []mcp.ResourceContents{mcp.BlobResourceContents{URI: uri, MIMEType: c.MIME, Blob: base64.StdEncoding.EncodeToString(c.Data)}}, nil
}
