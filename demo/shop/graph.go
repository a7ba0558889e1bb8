// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package shop

// Service is one service of the shop: what it is called and how it behaves when nothing is wrong.
type Service struct {
	Name, Version, Host string
	// Method and Route are those of the one endpoint that it serves.
	Method, Route string
	// Clients is the rate of requests from outside the shop, per second, averaged over a day.
	Clients float64
	// Own is the median of the time that a request spends in the service itself, in seconds.
	Own float64
	// Failure is the share of requests that fail in the service itself.
	Failure float64
	// Calls are made one after the other, each with its chance.
	Calls []Call
	// Trouble is what the service logs about a request that failed in it.
	Trouble string
}

// Call is one edge of the call graph.
type Call struct {
	// To is the index of the callee, always greater than that of the caller: the graph has no cycle.
	To int
	// Share is the chance that a request makes this call.
	Share float64
}

// The services by index.
const (
	frontend = iota
	checkout
	cart
	catalogue
	payments
	shipping
	bank
)

// Services returns the shop. Each service also has clients of its own (the
// mobile app, partners, other shops), so that none is a mere echo of its caller.
func Services() []Service {
	return []Service{
		frontend: {
			Name: "frontend", Version: "3.8.1", Host: "shop-web-1", Method: "GET", Route: "/",
			Clients: 56, Own: .022, Failure: .012, Trouble: "template could not be rendered",
			Calls: []Call{{checkout, .2}, {cart, .3}, {catalogue, .5}},
		},
		checkout: {
			Name: "checkout", Version: "2.4.0", Host: "shop-app-1", Method: "POST", Route: "/checkout",
			Clients: 30, Own: .035, Failure: .015, Trouble: "order was changed while it was being placed",
			Calls: []Call{{cart, .35}, {payments, .55}, {shipping, .4}},
		},
		cart: {
			Name: "cart", Version: "1.9.3", Host: "shop-app-2", Method: "GET", Route: "/cart/{id}",
			Clients: 22, Own: .040, Failure: .016, Trouble: "cart is locked by another request",
		},
		catalogue: {
			Name: "catalogue", Version: "5.0.2", Host: "shop-app-2", Method: "GET", Route: "/products/{id}",
			Clients: 24, Own: .048, Failure: .014, Trouble: "product index answered too late",
		},
		payments: {
			Name: "payments", Version: "4.1.7", Host: "shop-app-3", Method: "POST", Route: "/payments",
			Clients: 24, Own: .045, Failure: .016, Trouble: "payment method was refused",
			Calls: []Call{{bank, .6}},
		},
		shipping: {
			Name: "shipping", Version: "0.9.12", Host: "shop-app-3", Method: "POST", Route: "/quotes",
			Clients: 28, Own: .055, Failure: .016, Trouble: "carrier has no rate for this address",
		},
		bank: {
			Name: "bank-gateway", Version: "1.2.5", Host: "shop-edge-1", Method: "POST", Route: "/authorisations",
			Clients: 24, Own: .080, Failure: .018, Trouble: "bank did not answer in time",
		},
	}
}
