"""What administrators set."""

module_name = "Reputation"
module_description = "Asks a service what it knows of indicators, and holds cases to house rules"
interface_version = "1.2.0"
module_version = "1.1.0"

module_configuration = [
    {
        "param_name": "service_url",
        "param_human_name": "Service",
        "param_description": "Address of the service",
        "default": "https://reputation.example.org/api",
        "mandatory": True,
        "type": "string",
    },
    {
        "param_name": "api_key",
        "param_human_name": "API key",
        "param_description": "What the service knows this server by",
        "default": None,
        "mandatory": False,
        "type": "sensitive_string",
    },
    {
        "param_name": "malicious_from",
        "param_human_name": "Threshold",
        "param_description": "From which score on an indicator counts as malicious",
        "default": "0.8",
        "mandatory": True,
        "type": "float",
    },
    {
        "param_name": "on_create_enabled",
        "param_human_name": "Ask for new indicators",
        "param_description": "",
        "default": True,
        "mandatory": True,
        "type": "bool",
        "section": "Triggers",
    },
    {
        "param_name": "manual_enabled",
        "param_human_name": "Menu entry",
        "param_description": "",
        "default": True,
        "mandatory": True,
        "type": "bool",
        "section": "Triggers",
    },
    {
        "param_name": "report_template",
        "param_human_name": "Template",
        "param_description": "Of the tab with the report, in Jinja",
        "default": "<p>{{ value }} has the score <b>{{ score }}</b>{% for name in lists %}, is in {{ name }}{% endfor %}.</p>",
        "mandatory": True,
        "type": "textfield_html",
        "section": "Templates",
    },
    {
        "param_name": "severities",
        "param_human_name": "Severities",
        "param_description": "Numbers of severities by words in names of cases",
        "default": '{"ransom": 6}',
        "mandatory": False,
        "type": "textfield_json",
    },
]
