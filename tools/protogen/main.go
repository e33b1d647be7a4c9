// Protogen generates the Go code of protobuf files of this module without
// protoc: it compiles them with protocompile and feeds the module's own tools
// protoc-gen-go and protoc-gen-go-grpc.
//
//	protogen phone.proto          write phone.pb.go and phone_grpc.pb.go beside it
//	protogen -check phone.proto   write nothing; fail when they are out of date
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/protoutil"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

func main() { os.Exit(run(os.Args[1:], os.Stderr)) }

func run(args []string, stderr io.Writer) int {
	flags := flag.NewFlagSet("protogen", flag.ContinueOnError)
	flags.SetOutput(stderr)
	check := flags.Bool("check", false, "write nothing; fail when a generated file is out of date")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	for _, path := range flags.Args() {
		if err := process(context.Background(), path, *check); err != nil {
			_, _ = fmt.Fprintf(stderr, "protogen: %v\n", err)
			return 1
		}
	}
	return 0
}

func process(ctx context.Context, path string, check bool) error {
	generated, err := generate(ctx, path)
	if err != nil {
		return err
	}
	for name, content := range generated {
		target := filepath.Join(filepath.Dir(path), name)
		if !check {
			if err := os.WriteFile(target, content, 0o644); err != nil {
				return err
			}
			continue
		}
		have, err := os.ReadFile(target)
		if err != nil {
			return err
		}
		if !bytes.Equal(have, content) {
			return fmt.Errorf("%s is out of date: run go generate in its folder", target)
		}
	}
	return nil
}

// generate returns what belongs beside the file at path, by base name.
func generate(ctx context.Context, path string) (map[string][]byte, error) {
	request, err := compile(ctx, path)
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{}
	for _, tool := range []string{"protoc-gen-go", "protoc-gen-go-grpc"} {
		if err := runPlugin(ctx, tool, request, out); err != nil {
			return nil, fmt.Errorf("%s: %w", tool, err)
		}
	}
	return out, nil
}

// compile makes a plugin's input: the file and all it imports, imports first.
func compile(ctx context.Context, path string) ([]byte, error) {
	base := filepath.Base(path)
	compiler := protocompile.Compiler{
		Resolver: protocompile.WithStandardImports(&protocompile.SourceResolver{
			ImportPaths: []string{filepath.Dir(path)},
		}),
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	files, err := compiler.Compile(ctx, base)
	if err != nil {
		return nil, err
	}
	var all []*descriptorpb.FileDescriptorProto
	seen := map[string]bool{}
	var add func(f protoreflect.FileDescriptor)
	add = func(f protoreflect.FileDescriptor) {
		if seen[f.Path()] {
			return
		}
		seen[f.Path()] = true
		for i := range f.Imports().Len() {
			add(f.Imports().Get(i).FileDescriptor)
		}
		all = append(all, protoutil.ProtoFromFileDescriptor(f))
	}
	add(files[0])
	return proto.Marshal(&pluginpb.CodeGeneratorRequest{
		FileToGenerate: []string{base},
		Parameter:      proto.String("paths=source_relative"),
		ProtoFile:      all,
	})
}

func runPlugin(ctx context.Context, tool string, request []byte, out map[string][]byte) error {
	cmd := exec.CommandContext(ctx, "go", "tool", tool)
	cmd.Stdin = bytes.NewReader(request)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w: %s", err, stderr.String())
	}
	var response pluginpb.CodeGeneratorResponse
	if err := proto.Unmarshal(stdout.Bytes(), &response); err != nil {
		return err
	}
	if response.Error != nil {
		return fmt.Errorf("%s", response.GetError())
	}
	for _, f := range response.File {
		out[f.GetName()] = []byte(f.GetContent())
	}
	return nil
}
