{{/* Labels that select a component's pods. They never change. */}}
{{- define "woocommerce.selector" -}}
app.kubernetes.io/name: woocommerce
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* Labels of the pods that answer customers: the shop's, or that of the maintenance page. */}}
{{- define "woocommerce.customers" -}}
app.kubernetes.io/name: woocommerce
app.kubernetes.io/instance: {{ .Release.Name }}
shopwright.dev/serves: wordpress
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

{{/* The code that the database is to be migrated for: the setup notes it when that is done. */}}
{{- define "woocommerce.code" -}}
{{ include "woocommerce.image" .Values.images.wordpress }} {{ .Values.woocommerceVersion }}
{{- end }}

{{/* How many requests Apache works on at once: each takes some 64 MiB. The others wait. */}}
{{- define "woocommerce.workers" -}}
{{- $memory := .Values.resources.wordpress.limits.memory }}
{{- $size := regexFind "^[0-9]+" $memory | int }}
{{- if hasSuffix "Gi" $memory }}{{ $size = mul $size 1024 }}{{ else if not (hasSuffix "Mi" $memory) }}{{ $size = 1024 }}{{ end }}
{{- max 4 (div $size 64) }}
{{- end }}

{{/* How all pods are pulled and where they run. */}}
{{- define "woocommerce.placement" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- end }}

{{/* Who reaches the shop from outside: the ingress controller, as a pod or by its network. */}}
{{- define "woocommerce.controller" -}}
- namespaceSelector:
    {{- with .Values.ingress.controllerNamespace }}
    matchLabels: {kubernetes.io/metadata.name: {{ . }}}
    {{- else }}
    matchExpressions:
      - {key: shopwright.dev/store-id, operator: DoesNotExist}
    {{- end }}
{{- range .Values.ingress.controllerCIDRs }}
- ipBlock: {cidr: {{ . | quote }}}
{{- end }}
{{- end }}

{{/* Environment from which wp-config.php takes what it does not hold itself. */}}
{{- define "woocommerce.wordpressEnv" -}}
{{- $secret := .Values.credentials.existingSecret -}}
- {name: WORDPRESS_DB_HOST, value: database}
- {name: WORDPRESS_DB_NAME, value: wordpress}
- {name: WORDPRESS_DB_USER, value: wordpress}
- name: WORDPRESS_DB_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ $secret }}, key: database-password}}
{{- range $key := list "auth-key" "secure-auth-key" "logged-in-key" "nonce-key" "auth-salt" "secure-auth-salt" "logged-in-salt" "nonce-salt" }}
- name: WORDPRESS_{{ $key | upper | replace "-" "_" }}
  valueFrom: {secretKeyRef: {name: {{ $secret }}, key: {{ $key }}}}
{{- end }}
- {name: SHOP_URL, value: {{ .Values.url | quote }}}
- {name: SHOP_CODE, value: {{ include "woocommerce.code" . | quote }}}
- name: WORDPRESS_CONFIG_EXTRA
  value: |
    // Whatever ended HTTPS before the shop may not say so.
    if (str_starts_with((string) getenv('SHOP_URL'), 'https:')) { $_SERVER['HTTPS'] = 'on'; }
    define('WP_HOME', getenv('SHOP_URL'));
    define('WP_SITEURL', getenv('SHOP_URL'));
    define('WP_AUTO_UPDATE_CORE', 'minor');
    define('DISABLE_WP_CRON', true);
{{- end }}

{{/* The public internet; neither private networks nor the metadata services of clouds. */}}
{{- define "woocommerce.internet" -}}
- ipBlock:
    cidr: 0.0.0.0/0
    except: [0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16]
- ipBlock:
    cidr: ::/0
    except: ["::1/128", "fc00::/7", "fe80::/10"]
{{- end }}

{{/* How files/shopwright.php finds the mail server, in what sends mail. */}}
{{- define "woocommerce.mailEnv" -}}
{{- if .Values.smtp.existingSecret }}
- {name: SMTP_FOLDER, value: /run/smtp}
- {name: SMTP_PORT, value: {{ .Values.smtp.port | quote }}}
{{- end }}
{{- end }}

{{- define "woocommerce.mailMount" -}}
{{- if .Values.smtp.existingSecret }}
- {name: smtp, mountPath: /run/smtp, readOnly: true}
{{- end }}
{{- end }}

{{/* As files, which change in a running pod when the Secret does. */}}
{{- define "woocommerce.mailVolume" -}}
{{- with .Values.smtp.existingSecret }}
- name: smtp
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
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
