// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package shop

// Service is one service of the shop with its normal behavior.
type Service struct {
	Name, Version string
	// Next is the version of a bad deployment.
	Next string
	// Method and Route are those of the service's only endpoint.
	Method, Route string
	// Clients is the rate of requests from outside the shop, per second, averaged over a day.
	Clients float64
	// Own is the median time that a request spends in the service's code, in seconds.
	Own float64
	// Failure is the share of requests that fail in the service itself.
	Failure float64
	// Step is the part of the work that has its own span. It contains the database query.
	Step string
	// Database is queried once per request.
	Database Database
	// Calls are made sequentially, each with its probability.
	Calls []Call
	// Provider is the external host that each request calls. It is unset if the address is empty.
	Provider Provider
	// Publishes is the probability that a request publishes a message to the queue.
	Publishes float64
	// Memory is the normal memory of a pod in bytes.
	Memory float64
	// Says holds the log lines of a successful request: one during it and one at its end. Trouble is the reason of a
	// failure in the service.
	Says    [2][]string
	Trouble string
}

// Call is an edge of the call graph.
type Call struct {
	// To is the index of the callee. It is greater than that of the caller, so the graph has no cycle.
	To int
	// Share is the probability that a request makes this call.
	Share float64
}

// Database is the database of a service. Time is the median of a query in seconds.
type Database struct {
	System, Namespace, Address string
	Operation, Table           string
	Time                       float64
}

// Provider is an external host.
type Provider struct {
	Address, Method, Path string
	Time                  float64
}

// Indexes of the services.
const (
	frontend = iota
	checkout
	cart
	catalog
	payments
	shipping
	bank
	notifications
)

// Queue: checkout publishes, notifications consumes.
const (
	QueueName     = "order-mails"
	QueueSystem   = "rabbitmq"
	QueueConsumer = notifications
	// consumers is the number of concurrent consumers. Each handles a message in a median of handling seconds.
	consumers = 4
	handling  = .06
)

const mebibyte = 1 << 20

// Services returns the services of the shop. Each has its own clients (the mobile app, partners, other shops), so
// that its traffic does not only follow its callers.
func Services() []Service {
	return []Service{
		frontend: {
			Name: "frontend", Version: "3.8.1", Next: "3.9.0", Method: "GET", Route: "/",
			Clients: 56, Own: .022, Failure: .012, Memory: 310 * mebibyte,
			Step:    "render page",
			Calls:   []Call{{checkout, .2}, {cart, .3}, {catalog, .5}},
			Says:    [2][]string{{"session {hex} resumed for visitor {id} from {country}", "anonymous visit from {ip}"}, {"page sent in {ms} ms, {n} fragments from cache"}},
			Trouble: "template could not be rendered",
		},
		checkout: {
			Name: "checkout", Version: "2.4.0", Next: "2.5.0", Method: "POST", Route: "/checkout",
			Clients: 30, Own: .024, Failure: .015, Memory: 420 * mebibyte,
			Step:     "reserve items",
			Database: Database{"postgresql", "orders", "orders-db", "INSERT", "orders", .011},
			Calls:    []Call{{cart, .35}, {payments, .55}, {shipping, .4}}, Publishes: .6,
			Says:    [2][]string{{"placing order {id} with {n} items for customer {id}", "order {id} is repeated by customer {id}, key {hex}"}, {"order {id} placed, {eur} EUR, took {ms} ms"}},
			Trouble: "order was changed while it was being placed",
		},
		cart: {
			Name: "cart", Version: "1.9.3", Next: "1.10.0", Method: "GET", Route: "/cart/{id}",
			Clients: 22, Own: .028, Failure: .016, Memory: 190 * mebibyte,
			Step:     "load cart",
			Database: Database{"redis", "carts", "carts-cache", "HGETALL", "cart", .012},
			Says:     [2][]string{{"cart {hex} has {n} items", "cart {hex} is empty, a new one is made"}, {"cart {hex} answered in {ms} ms"}},
			Trouble:  "cart is locked by another request",
		},
		catalog: {
			Name: "catalogue", Version: "5.0.2", Next: "5.1.0", Method: "GET", Route: "/products/{id}",
			Clients: 24, Own: .030, Failure: .014, Memory: 510 * mebibyte,
			Step:     "search products",
			Database: Database{"mysql", "catalogue", "catalogue-db", "SELECT", "products", .018},
			Says:     [2][]string{{"product {id} found in category {n}", "search for product {id} matched {n} variants"}, {"product {id} answered in {ms} ms at {eur} EUR"}},
			Trouble:  "product index answered too late",
		},
		payments: {
			Name: "payments", Version: "4.1.7", Next: "4.2.0", Method: "POST", Route: "/payments",
			Clients: 24, Own: .030, Failure: .016, Memory: 280 * mebibyte,
			Step:     "check balance",
			Database: Database{"postgresql", "ledger", "ledger-db", "UPDATE", "accounts", .015},
			Calls:    []Call{{bank, .6}},
			Says:     [2][]string{{"charging {eur} EUR to account {id}", "account {id} pays {eur} EUR by voucher {hex}"}, {"payment {hex} booked after {ms} ms"}},
			Trouble:  "payment method was refused",
		},
		shipping: {
			Name: "shipping", Version: "0.9.12", Next: "0.10.0", Method: "POST", Route: "/quotes",
			Clients: 28, Own: .038, Failure: .016, Memory: 240 * mebibyte,
			Step:     "choose carrier",
			Database: Database{"postgresql", "tariffs", "tariffs-db", "SELECT", "rates", .017},
			Says:     [2][]string{{"parcel of {n} kg goes to {country}", "{n} carriers deliver to {country}, postcode {id}"}, {"quote {hex}: {eur} EUR, found in {ms} ms"}},
			Trouble:  "carrier has no rate for this address",
		},
		bank: {
			Name: "bank-gateway", Version: "1.2.5", Next: "1.3.0", Method: "POST", Route: "/authorisations",
			Clients: 24, Own: .030, Failure: .018, Memory: 160 * mebibyte,
			Step:     "sign request",
			Provider: Provider{"api.cardnet.example", "POST", "/v2/authorise", .05},
			Says:     [2][]string{{"asking the issuer about card ending in {id}", "card ending in {id} is known, risk {n}"}, {"authorisation {hex} granted in {ms} ms"}},
			Trouble:  "bank did not answer in time",
		},
		notifications: {
			Name: "notifications", Version: "2.0.4", Next: "2.1.0", Method: "GET", Route: "/inbox/{id}",
			Clients: 20, Own: .026, Failure: .015, Memory: 230 * mebibyte,
			Step:     "read inbox",
			Database: Database{"postgresql", "mail", "mail-db", "SELECT", "messages", .014},
			Says:     [2][]string{{"inbox of customer {id} has {n} unread", "inbox of customer {id} is archived"}, {"inbox of customer {id} answered in {ms} ms"}},
			Trouble:  "inbox is being compacted",
		},
	}
}
