// A project with sgpt4j: `gradle run` runs the program. Needs Gradle 9.1 or later, which runs on Java 25.
plugins {
    application
}

repositories {
    mavenLocal() // until a release is published: ./mvnw install -DskipTests in sgpt4j's checkout
    mavenCentral()
}

dependencies {
    implementation(platform("io.github.sgpt4j:sgpt4j-bom:0.1.0-SNAPSHOT"))
    implementation("io.github.sgpt4j:sgpt4j-engine")
    // The built-in model. With a model of your own: BiEncoder.open(folder).
    implementation("io.github.sgpt4j:sgpt4j-nano")
}

java {
    toolchain {
        languageVersion = JavaLanguageVersion.of(25)
    }
}

// What the engine needs of every Java virtual machine that runs it.
val sgpt4jFlags = listOf("--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED")

application {
    mainClass = "example.Ranking"
    applicationDefaultJvmArgs = sgpt4jFlags
}

tasks.withType<Test> {
    jvmArgs(sgpt4jFlags)
}
