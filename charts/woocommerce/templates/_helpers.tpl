{{/* Labels that select a component's pods. They never change. */}}
{{- define "woocommerce.selector" -}}
app.kubernetes.io/name: woocommerce
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* All labels of a component's objects. */}}
{{- define "woocommerce.labels" -}}
{{ include "woocommerce.selector" . }}
app.kubernetes.io/part-of: shopwright
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
shopwright.dev/store-id: {{ .root.Values.store.id | quote }}
{{- end }}

{{/* Reference of an image: the digest wins over the tag. */}}
{{- define "woocommerce.image" -}}
{{- with .registry }}{{ . }}/{{ end }}{{ .repository }}
{{- if .digest }}@{{ .digest }}{{ else }}:{{ .tag }}{{ end }}
{{- end }}

{{/* What the Pod Security standard "restricted" asks of a container, and no writable image. */}}
{{- define "woocommerce.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* A pod's security: the user and group that its files belong to. */}}
{{- define "woocommerce.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/* A text in an environment, where Kubernetes would replace $(NAME): a shop of such a name
     would show what that variable holds. */}}
{{- define "woocommerce.literal" -}}
{{ . | replace "$(" "$$(" | quote }}
{{- end }}

{{- define "woocommerce.pullSecrets" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Environment from which wp-config.php takes what it does not hold itself. */}}
{{- define "woocommerce.wordpressEnv" -}}
{{- $secret := .Values.credentials.existingSecret -}}
- {name: WORDPRESS_DB_HOST, value: mariadb}
- {name: WORDPRESS_DB_NAME, value: wordpress}
- {name: WORDPRESS_DB_USER, value: wordpress}
- name: WORDPRESS_DB_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ $secret }}, key: database-password}}
{{- range $key := list "auth-key" "secure-auth-key" "logged-in-key" "nonce-key" "auth-salt" "secure-auth-salt" "logged-in-salt" "nonce-salt" }}
- name: WORDPRESS_{{ $key | upper | replace "-" "_" }}
  valueFrom: {secretKeyRef: {name: {{ $secret }}, key: {{ $key }}}}
{{- end }}
- {name: SHOP_URL, value: {{ .Values.url | quote }}}
- name: WORDPRESS_CONFIG_EXTRA
  value: |
    define('WP_HOME', getenv('SHOP_URL'));
    define('WP_SITEURL', getenv('SHOP_URL'));
    define('AUTOMATIC_UPDATER_DISABLED', true);
{{- end }}

{{- define "woocommerce.storageClass" -}}
{{- with .Values.storage.className }}
storageClassName: {{ . | quote }}
{{- end }}
{{- end }}

{{/* What the first setup puts into the shop, as JSON. */}}
{{- define "woocommerce.products" -}}
{{- $sample := dict "sku" "shopwright-sample" "name" "Sample product" "price" 10 "description" "Sold to prove that this shop sells." }}
{{- $none := ternary (list $sample) (list) .Values.shop.sampleProduct }}
{{- .Values.shop.products | default $none | toJson }}
{{- end }}
