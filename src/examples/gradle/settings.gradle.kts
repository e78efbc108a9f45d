rootProject.name = "sgpt4j-example-gradle"
