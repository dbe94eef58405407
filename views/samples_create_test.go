package views

func sampleForm() CreateForm {
	return CreateForm{
		Name: "Nordwind Outdoor", Address: Address{Slug: "nordwind-outdoor", Checked: true},
		Engines: []EngineChoice{
			{Choice{Value: "woocommerce", Label: "WooCommerce", Letter: "W", Description: "WordPress shop, thousands of plugins.", Selected: true}, sampleTemplates()},
			{Choice{Value: "medusa", Label: "Medusa", Letter: "M", Description: "Headless, API first, with a storefront."}, sampleTemplates()},
		},
		Countries: []CountryChoice{
			{Choice{Value: "DE", Label: "Germany", Selected: true}, "EUR"}, {Choice{Value: "CH", Label: "Switzerland"}, "CHF"},
		},
		Currencies: []Choice{{Value: "CHF", Label: "CHF"}, {Value: "EUR", Label: "EUR", Selected: true}},
		OwnerEmail: "mara@example.com",
		BaseDomain: "localhost", Scheme: "http", PortSuffix: ":8081",
		Quota: Quota{Of: "Your stores", Used: 3, Allowed: 5},
	}
}

func sampleTemplates() []Choice {
	return []Choice{
		{Value: "blank", Label: "Blank", Description: "One sample product that proves the shop sells; easy to delete.", Selected: true},
		{Value: "demo", Label: "Demo catalogue", Description: "Twelve outdoor products in four categories, with prices and stock."},
	}
}

func wrongForm() CreateForm {
	f := sampleForm()
	f.Name, f.NameError, f.Slug = hostile, "A name can have at most 120 characters.", "nordwind-outdoor"
	f.Address = Address{Slug: "nordwind-outdoor", Error: "nordwind-outdoor.localhost is taken.", Free: "nordwind-outdoor-2"}
	f.EngineError, f.Problem, f.Quota.Used = "Choose an engine.", "Nothing was created.", 4
	f.Pace = "You can create 3 stores within 1 hour; you have created 2."
	f.OwnerEmail, f.OwnerEmailError = hostile, "Enter an address such as mara@example.com, without accents and with at most 100 characters."
	f.TemplateError, f.CountryError, f.CurrencyError = "Choose a template.", "Choose a country.", "Choose a currency."
	return f
}

// crowdedForm is for a cluster without room for one of the engines.
func crowdedForm() CreateForm {
	f := sampleForm()
	f.NoRoom = "The cluster has no room for another Medusa store. A new one can only open once there is room."
	return f
}

// fullForm has no store left to give, one engine to choose from, and a cluster to wait for.
func fullForm() CreateForm {
	f := sampleForm()
	f.Engines, f.Name, f.Address = f.Engines[:1], "", Address{}
	f.Quota.Used, f.Quota.Refusal = 5, "You have 5 of 5 stores. Delete one first."
	f.Engines[0].Selected = false
	f.Waits = "The cluster isn’t ready yet. The store waits in the queue and starts automatically."
	return f
}
