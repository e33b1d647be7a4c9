package tool

import (
	"context"

	"ringmaster/proto/phone"
)

func registrationEntries() []entry {
	return []entry{
		define(entry{name: "register", title: "Register",
			description: "Send a fresh REGISTER; answers when it is final.", hints: Hints{Idempotent: true, OpenWorld: true}}, register),
		define(entry{name: "unregister", title: "Unregister",
			description: "Remove the phone's own binding at its registrar.", hints: Hints{Destructive: true, Idempotent: true, OpenWorld: true}}, unregister),
		define(entry{name: "get_registration_status", title: "Get the registration",
			description: "What is known of the registration; nothing is sent.", hints: Hints{ReadOnly: true, Idempotent: true}}, getRegistration),
	}
}

func register(ctx context.Context, c *call, _ struct{}) (registrationFields, error) {
	return c.registration(ctx, phone.Register{})
}

func getRegistration(ctx context.Context, c *call, _ struct{}) (registrationFields, error) {
	return c.registration(ctx, phone.GetRegistration{})
}

func (c *call) registration(ctx context.Context, cmd phone.Command) (registrationFields, error) {
	out, err := c.do(ctx, cmd)
	if err != nil {
		return registrationFields{}, err
	}
	if out.Registration == nil {
		return registrationFields{}, phone.Errorf(phone.Internal, "phone %s did not say how its registration stands", c.phone)
	}
	st, err := c.set.o.Phones.Status(c.phone)
	if err != nil {
		return registrationFields{}, err
	}
	return registrationOf(st.Settings, *out.Registration), nil
}

func unregister(ctx context.Context, c *call, _ struct{}) (struct{}, error) {
	_, err := c.do(ctx, phone.Unregister{})
	return struct{}{}, err
}
