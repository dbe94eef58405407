# Everything a developer does here. `make help` lists it.

SHELL   := /bin/bash
BIN     := bin
CACHE   := $(CURDIR)/.cache
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo development)
# Helm's own idea of the Kubernetes version, for renders that ask no cluster.
HELM    := helm.sh/helm/v3/pkg/chartutil
LDFLAGS := -s -w -X main.version=$(VERSION) -X $(HELM).k8sVersionMajor=1 -X $(HELM).k8sVersionMinor=37

export CGO_ENABLED ?= 0

# What is compiled names no folder of this machine. So lint, the tests and the program share one build cache, and so do
# all clones of the repository.
export GOFLAGS := $(filter-out -trimpath,$(shell go env GOFLAGS)) -trimpath

# What `make run` uses where no cluster is named.
STATE := $(CURDIR)/.data
DEV_CLUSTER := $(CURDIR)/$(BIN)/devcluster up --foreground --progress json --state $(STATE)/cluster \
	--role $(CURDIR)/charts/platform/templates/clusterrole.yaml --role $(CURDIR)/charts/platform/templates/policy.yaml \
	--source $(CURDIR)/deploy/devcluster

.DEFAULT_GOAL := help
.PHONY: help run build cross image push images release release-verify devcluster generate lint fmt test fuzz e2e e2e-processes bench

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build devcluster ## build and serve on http://127.0.0.1:8080, with a development cluster where none is named
	@SHOPWRIGHT_DEV_LOGIN=$${SHOPWRIGHT_DEV_LOGIN-true} SHOPWRIGHT_DATA_DIR=$${SHOPWRIGHT_DATA_DIR-$(STATE)} \
	 SHOPWRIGHT_DEV_CLUSTER=$${SHOPWRIGHT_DEV_CLUSTER-"$(DEV_CLUSTER)"} exec $(BIN)/shopwright serve

build: ## build bin/shopwright
	@go build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/shopwright ./cmd/shopwright

# The other machine that the image is for.
cross:
	@for arch in $(filter-out $(shell go env GOHOSTARCH),amd64 arm64); do GOOS=linux GOARCH=$$arch go build -trimpath -o /dev/null ./cmd/shopwright || exit 1; done

# IMAGE names the image, such as registry.example.com/team/shopwright.
IMAGE     ?= shopwright
PLATFORMS ?= $(shell go env GOARCH)
CONTEXT   := $(CACHE)/image

image: ## build the container image; PLATFORMS="amd64 arm64" builds one for each
	@mkdir -p $(CONTEXT)/data
	@go run ./cmd/roots > $(CONTEXT)/authorities.pem
	@set -e; for arch in $(PLATFORMS); do \
	  GOOS=linux GOARCH=$$arch go build -trimpath -ldflags '$(LDFLAGS)' -o $(CONTEXT)/linux/$$arch/shopwright ./cmd/shopwright; \
	  tag=$(IMAGE):$(VERSION); [ "$(PLATFORMS)" = $$arch ] || tag=$$tag-$$arch; \
	  [ $$arch = $$(docker version --format '{{.Server.Arch}}') ] || docker buildx version >/dev/null 2>&1 || \
	    { echo "An image for $$arch takes Docker's BuildKit: install docker-buildx." >&2; exit 1; }; \
	  docker build --quiet --platform linux/$$arch --file deploy/Dockerfile --tag $$tag --build-arg TARGETARCH=$$arch \
	    --build-arg VERSION=$(VERSION) --build-arg REVISION=$$(git rev-parse HEAD) $(CONTEXT) >/dev/null; \
	  echo "$$tag: $$(( $$(docker image inspect --format '{{.Size}}' $$tag) / 1000000 )) MB"; \
	done

# One name for all of them: who pulls it gets the one for their machine.
# MANIFEST_FLAGS go to docker manifest create, such as --insecure for a registry without TLS.
push: image ## build the image and push it as IMAGE=registry/path; PLATFORMS="amd64 arm64" pushes all under one name
	@set -e; name=$(IMAGE):$(VERSION); set -- $(PLATFORMS); \
	if [ $$# = 1 ]; then docker push --quiet $$name; exit; fi; \
	for arch; do docker push --quiet $$name-$$arch; done; \
	docker manifest rm $$name >/dev/null 2>&1 || true; \
	docker manifest create $(MANIFEST_FLAGS) $$name $${@/#/$$name-} >/dev/null; \
	for arch; do docker manifest annotate --os linux --arch $$arch $$name $$name-$$arch; done; \
	docker manifest push --purge $(filter --insecure,$(MANIFEST_FLAGS)) $$name

release: $(CACHE)/bin/helm $(CACHE)/bin/cyclonedx-gomod ## build the files of a release into dist; VERSION=0.1.0 names it
	@LDFLAGS='$(LDFLAGS)' deploy/release/release.sh $(VERSION)

release-verify: $(CACHE)/bin/helm $(CACHE)/bin/cyclonedx-gomod ## build that release again elsewhere, without caches, and compare; VERSION=0.1.0
	@LDFLAGS='$(LDFLAGS)' deploy/release/verify.sh $(VERSION)

# REGISTRY is where the shops' images are pushed; without it they stay in the local Docker.
REGISTRY ?=
IMAGES   ?= medusa storefront woocommerce
# BUILD_FLAGS go to docker build.
REVISION ?= $(shell git rev-parse HEAD)
version-of = $(shell sed -n 's/^  "version": "\(.*\)",$$/\1/p' deploy/images/$(1)/package.json)
TAG_medusa      := $(call version-of,medusa/app)
TAG_storefront  := $(call version-of,storefront)
TAG_woocommerce := $(shell sed -n 's/^ARG WOOCOMMERCE=//p' deploy/images/woocommerce/Dockerfile)-1

images: $(addprefix image-,$(IMAGES)) ## build the shops' images; IMAGES="medusa storefront" chooses, REGISTRY=host/path pushes

image-%:
	@tag=$(addsuffix /,$(REGISTRY))shopwright/$*:$(TAG_$*); \
	docker build --quiet $(BUILD_FLAGS) --tag $$tag --build-arg VERSION=$(TAG_$*) --build-arg REVISION=$(REVISION) deploy/images/$* >/dev/null && \
	{ [ -z "$(REGISTRY)" ] || docker push --quiet $$tag >/dev/null; } && echo $$tag

devcluster: ## build bin/devcluster, the development control plane's command
	@go build -C deploy/devcluster -trimpath -o $(CURDIR)/$(BIN)/devcluster .

generate: static/node_modules ## make the generated files anew: templ, CSS, JavaScript and notices
	@go tool templ generate -path views
	@npm --prefix static run build
	@go run ./cmd/notices ./cmd/shopwright "Go=$$(go env GOROOT)" Inter=static/fonts Lucide=static/icons \
	  $(foreach part,htmx.org daisyui tailwindcss,$(part)=static/node_modules/$(part)) > static/dist/notices.txt

static/node_modules: static/package-lock.json
	@npm --prefix static ci --no-audit --no-fund --loglevel=error
	@touch $@

fmt: ## format the code
	@gofmt -w $$(git ls-files '*.go')
	@go tool templ fmt views

lint: $(CACHE)/bin/golangci-lint ## check style, and which package may know which
	@$(CACHE)/bin/golangci-lint run --allow-parallel-runners ./...
	@cd deploy/devcluster && $(CACHE)/bin/golangci-lint run --allow-parallel-runners ./...

$(CACHE)/bin/golangci-lint: deploy/tools/go.mod
	@go build -C deploy/tools -o $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

# It writes what a binary is made of. Its own digest is in there, so it is built reproducibly too.
$(CACHE)/bin/cyclonedx-gomod: deploy/tools/go.mod
	@go build -C deploy/tools -trimpath -buildvcs=false -o $@ github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod

# The stores' backups run the one of its image; tests run this one, of the same version and static as well.
$(CACHE)/bin/restic: deploy/restic/go.mod
	@CGO_ENABLED=0 go build -C deploy/restic -trimpath -ldflags '-s -w' -o $@ github.com/restic/restic/cmd/restic

# The command line that `make bench` measures beside us and tests install the chart with, at the version of the SDK.
$(CACHE)/bin/helm: go.mod
	@go build -trimpath -ldflags '-s -w' -o $@ helm.sh/helm/v3/cmd/helm

test: ## run every test there is, on real parts; installs what it needs where it may
	@deploy/test.sh

e2e: ## run the platform and its shops on a real node and buy in them; ONLY=TestMedusa chooses; needs root
	@deploy/e2e/run.sh $(if $(ONLY),-run '$(ONLY)')

e2e-processes: ## run a whole Medusa shop as plain processes and buy in it; the first run builds Medusa
	@go test -tags e2e -count=1 -timeout 30m $(if $(V),-v) ./deploy/images/e2e

fuzz: ## send anything to the API and to the forms, TIME=5m each; what breaks them is kept in handlers/testdata/fuzz
	@for target in FuzzAPI FuzzForms; do go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(or $(TIME),1m) ./handlers || exit; done

bench: ## measure beside Helm and the floor; ONLY=name,name chooses, PROFILE=directory keeps profiles
	@deploy/bench.sh $(if $(ONLY),-only $(ONLY)) $(if $(PROFILE),-profile $(abspath $(PROFILE)))
